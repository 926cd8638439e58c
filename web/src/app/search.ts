/** Those of `names` that an address has, as texts with something in them. */
export function textsOf<const N extends string>(
  search: Record<string, unknown>,
  names: readonly N[],
): { [K in N]?: string } {
  const found = names.filter((name) => typeof search[name] === "string" && search[name]);
  return Object.fromEntries(found.map((name) => [name, search[name]])) as { [K in N]?: string };
}
