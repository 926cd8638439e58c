import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, body, EVERYWHERE, type Scope } from "#/api/client";
import type { components, paths } from "#/api/schema";
import { type AuditSearch, FILTERS } from "./routes";

export type Row = components["schemas"]["AuditEntry"];
export type Verdict = components["schemas"]["AuditVerdict"];

type Asked = NonNullable<paths["/api/audit"]["get"]["parameters"]["query"]>;

const PAGE = 200;

/** The filters of a URL as the API's query. */
export function filtersOf(search: AuditSearch): Asked {
  return Object.fromEntries(FILTERS.flatMap((name) => (search[name] ? [[name, search[name]]] : [])));
}

export function scopeHeaders(search: AuditSearch): Record<string, string> {
  return search.everywhere ? EVERYWHERE : {};
}

export function rowsQuery(scope: Scope, search: AuditSearch) {
  const filters = filtersOf(search);
  const where = search.everywhere ? "" : `${scope.game}|${scope.env}`;
  return infiniteQueryOptions({
    queryKey: ["audit", where, filters],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ signal, pageParam }) => {
      const query: Asked = { ...filters, limit: PAGE, ...(pageParam !== undefined && { before: pageParam }) };
      return body(api.GET("/api/audit", { signal, params: { query }, headers: scopeHeaders(search) }));
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** Where an export with these filters is downloaded from; the scope goes in the query, since a link sends no headers. */
export function exportAddress(scope: Scope, search: AuditSearch, format: "jsonl" | "csv"): string {
  const where = search.everywhere
    ? {}
    : { ...(scope.game && { game_id: scope.game }), ...(scope.env && { env: scope.env }) };
  const query = new URLSearchParams({ format, ...where, ...(filtersOf(search) as Record<string, string>) });
  return `/api/audit/export?${query}`;
}
