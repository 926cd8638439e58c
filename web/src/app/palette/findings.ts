import type { FunctionEntry } from "#/functions/functions";
import { matches, nameOf } from "#/functions/functions";
import type { Language } from "#/i18n/language";

/** Something to choose: where it leads or what it does. */
export interface Finding {
  readonly key: string;
  readonly label: string;
  readonly detail: string;
  readonly go: () => void;
}

const MOST = 8;
const CALL = /^c[0-9A-Za-z_]{15,}$/;
const JOB = /^j[0-9A-Za-z_]{15,}$/;

/** The functions that fit, those first whose name or id begins with what is sought. */
export function functionsFound(entries: readonly FunctionEntry[], search: string, language: Language) {
  const sought = search.trim().toLowerCase();
  const begins = (entry: FunctionEntry) =>
    [entry.id, nameOf(entry, language)].some((name) => name.toLowerCase().startsWith(sought));
  const found = entries.filter((entry) => matches(entry, sought));
  return [...found.filter(begins), ...found.filter((entry) => !begins(entry))].slice(0, MOST);
}

/** What an id may be the id of: a call and a job are known by their looks, an object can be of any kind. */
export function kindsOfId(search: string): { call: boolean; job: boolean; object: boolean } {
  const id = search.trim();
  return { call: CALL.test(id), job: JOB.test(id), object: id.length > 0 && !/\s/.test(id) };
}
