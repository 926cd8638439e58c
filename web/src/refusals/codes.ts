import type { components } from "#/api/schema";

/** What exactly stopped a request, or let a call pass a gate (docs/reference/refusals.md). */
export type Code = components["schemas"]["Code"];
/** The kind of a failure. */
export type Reason = components["schemas"]["Problem"]["reason"];

/** A parameter by its name; empty where the server sent none. */
export type Values = (name: string) => string;

/** One sentence for each code: a code without one does not compile. */
export type Sentences = Readonly<Record<Code, (values: Values) => string>>;

/** What a kind of failure is called, and what one does about it. */
export type Kinds = Readonly<Record<Reason, { readonly title: string; readonly next: string }>>;

/** A count that is worth saying; "" for one, and for none. */
export function several(count: string): string {
  return count === "1" ? "" : count;
}

/** Seconds as people wait for them. */
export function seconds(text: string): string {
  return String(Math.max(1, Math.ceil(Number(text) || 0)));
}

/** `2026-11-22 13:00:00 UTC`, as it is where the page is read. */
export function moment(text: string, locale: string): string {
  const at = new Date(text.replace(" UTC", "Z").replace(" ", "T"));
  if (Number.isNaN(at.getTime())) return text;
  return at.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}
