import { type FunctionEntry, matches, nameOf } from "#/functions/functions";
import type { Language } from "#/i18n/language";

export type ListRow =
  | { readonly kind: "group"; readonly key: string; readonly label: string }
  | { readonly kind: "function"; readonly key: string; readonly entry: FunctionEntry };

const SHORT = 15;

interface Wanted {
  readonly search: string;
  readonly favourites: readonly string[];
  readonly recent: readonly string[];
  readonly language: Language;
  readonly labels: { readonly favourites: string; readonly recent: string; readonly other: string };
  /** A category in the page's language. */
  readonly category: (category: string) => string;
}

/** What the list shows, row by row: favourites and recent ones first, then every category by name; last those that no game server offers. */
export function listRows(entries: readonly FunctionEntry[], wanted: Wanted): ListRow[] {
  const found = entries.filter((entry) => matches(entry, wanted.search.trim()));
  const byId = new Map(found.map((entry) => [entry.id, entry]));
  const of = (ids: readonly string[]) => ids.map((id) => byId.get(id)).filter((entry) => entry !== undefined);
  const groups = [
    { label: wanted.labels.favourites, entries: of(wanted.favourites) },
    { label: wanted.labels.recent, entries: hidesRecent(entries, wanted) ? [] : of(wanted.recent) },
    ...categories(found, wanted),
  ];
  return groups
    .filter((group) => group.entries.length > 0)
    .flatMap(({ label, entries: members }) => [
      { kind: "group" as const, key: `group ${label}`, label },
      ...members.map((entry) => ({ kind: "function" as const, key: `${label} ${entry.id}`, entry })),
    ]);
}

/** While somebody searches each is listed once, and a short list needs no short cut. */
function hidesRecent(entries: readonly FunctionEntry[], { search }: Wanted): boolean {
  return search.trim() !== "" || entries.length <= SHORT;
}

function categories(found: readonly FunctionEntry[], { language, labels, category }: Wanted) {
  const names = new Map<string, FunctionEntry[]>();
  for (const entry of found) {
    const name = entry.category || prefixOf(entry.id);
    const members = names.get(name);
    if (members) members.push(entry);
    else names.set(name, [entry]);
  }
  return [...names]
    .map(([name, entries]) => ({
      label: name ? category(name) : labels.other,
      last: !name,
      entries: entries.toSorted((a, b) => nameOf(a, language).localeCompare(nameOf(b, language), language)),
    }))
    .sort(
      (a, b) =>
        Number(idle(a)) - Number(idle(b)) ||
        Number(a.last) - Number(b.last) ||
        a.label.localeCompare(b.label, language),
    );
}

function idle({ entries }: { readonly entries: readonly FunctionEntry[] }): boolean {
  return entries.every(({ total }) => total === 0);
}

function prefixOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(".")));
}
