/** What stands after # in the address. It is taken out of it, so that neither history nor a shared screen keeps it. */
export function secretInAddress(): string {
  const { hash, pathname, search } = globalThis.location;
  if (hash) globalThis.history.replaceState(globalThis.history.state, "", pathname + search);
  return decodeURIComponent(hash.slice(1));
}
