import { queryOptions } from "@tanstack/react-query";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import type { Language } from "#/i18n/language";
import { inLanguage } from "#/i18n/texts";

export type FunctionEntry = components["schemas"]["FunctionEntry"];
export type FunctionSheet = components["schemas"]["FunctionSheet"];

/** The functions of the scope the page stands in, as lists show them. */
export function functionsQuery(game: string, env: string) {
  return queryOptions({
    queryKey: ["functions", game, env],
    queryFn: async ({ signal }) => (await body(api.GET("/api/functions", { signal }))).functions,
    enabled: Boolean(game && env),
    staleTime: 30_000,
  });
}

/** One function with its description and form. */
export function functionQuery(game: string, env: string, id: string) {
  return queryOptions({
    queryKey: ["functions", game, env, id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/functions/{function_id}", { params: { path: { function_id: id } }, signal })),
    enabled: Boolean(game && env && id),
    staleTime: 30_000,
  });
}

export function nameOf(entry: Pick<FunctionEntry, "id" | "display_name">, language: Language): string {
  return inLanguage(entry.display_name, language, entry.id);
}

/** Whether every word of `search` is in one of a function's names, in either language, its id or its tags. */
export function matches(entry: FunctionEntry, search: string): boolean {
  const names = [entry.id, entry.category, ...Object.values(entry.display_name), ...entry.tags]
    .join("\n")
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => names.includes(word));
}
