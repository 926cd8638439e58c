import type { FunctionEntry } from "#/functions/functions";

/** What somebody is shown before they have chosen: what they used, and while that is nothing, what can be run here. */
export function firstFunctions(entries: readonly FunctionEntry[], used: readonly string[], most: number) {
  const known = [...new Set(used)].map((id) => entries.find((entry) => entry.id === id));
  const theirs = known.filter((entry) => entry !== undefined);
  if (theirs.length > 0) return theirs.slice(0, most);
  return entries.filter((entry) => entry.enabled && entry.may && entry.healthy > 0).slice(0, most);
}
