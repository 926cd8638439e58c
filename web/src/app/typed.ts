/** What was typed into forms and not sent, by form; kept by the tab, so that loading again loses nothing. Sensitive values are not. */
const BEGIN = "croupier.draft.";
/** A draft beyond this is not kept: the browser holds some 5 MB for all of a tab. */
const MOST = 500_000;

let unkept = false;

export function keepTyped(form: string, value: unknown, kept = true): void {
  const text = JSON.stringify(value);
  unkept = !kept || text.length > MOST;
  if (unkept) sessionStorage.removeItem(BEGIN + form);
  else sessionStorage.setItem(BEGIN + form, text);
}

export function typedBefore(form: string): unknown {
  const text = sessionStorage.getItem(BEGIN + form);
  return text === null ? undefined : JSON.parse(text);
}

export function forgetTyped(form: string): void {
  unkept = false;
  sessionStorage.removeItem(BEGIN + form);
}

/** Whether loading again would lose something. */
export function hasTyped(): boolean {
  return unkept;
}
