import type { FunctionEntry } from "#/functions/functions";

/** What somebody is shown before they have chosen: what they used; while that is nothing, what can be run here, of the largest groups first. */
export function firstFunctions(entries: readonly FunctionEntry[], used: readonly string[], most: number) {
  const known = [...new Set(used)].map((id) => entries.find((entry) => entry.id === id));
  const theirs = known.filter((entry) => entry !== undefined);
  if (theirs.length > 0) return theirs.slice(0, most);
  const size = (entry: FunctionEntry) => entries.filter(({ category }) => category === entry.category).length;
  return entries
    .filter((entry) => entry.enabled && entry.may && entry.healthy > 0)
    .toSorted((a, b) => size(b) - size(a))
    .slice(0, most);
}
