/** What lets style sheets made in the page pass its content security policy; another one in every answer of the server. */
export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
