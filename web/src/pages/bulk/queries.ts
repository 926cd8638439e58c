import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, request, type Scope } from "#/api/client";
import type { components } from "#/api/schema";
import type { BulkState, RowState } from "./routes";

export type BulkEntry = components["schemas"]["BulkEntry"];
export type Bulk = components["schemas"]["BulkProgress"];
export type Row = components["schemas"]["BulkRowEntry"];
export type Uploaded = components["schemas"]["BulkUploaded"];
export type Start = components["schemas"]["BulkStart"];

const PAGE = 200;

export function bulksQuery(scope: Scope, state: BulkState | undefined) {
  return queryOptions({
    queryKey: ["bulk", "list", scope.game, scope.env, state ?? ""],
    queryFn: ({ signal }) =>
      body(api.GET("/api/bulk", { signal, params: { query: { limit: PAGE, ...(state && { state: [state] }) } } })),
  });
}

export function bulkQuery(bulkId: string) {
  return queryOptions({
    queryKey: ["bulk", "one", bulkId],
    queryFn: ({ signal }) => body(api.GET("/api/bulk/{bulk_id}", { signal, params: { path: { bulk_id: bulkId } } })),
  });
}

export function rowsQuery(bulkId: string, state: RowState | undefined) {
  return infiniteQueryOptions({
    queryKey: ["bulk", "rows", bulkId, state ?? ""],
    initialPageParam: 0,
    queryFn: ({ signal, pageParam }) =>
      body(
        api.GET("/api/bulk/{bulk_id}/rows", {
          signal,
          params: {
            path: { bulk_id: bulkId },
            query: { limit: PAGE, ...(pageParam && { after: pageParam }), ...(state && { state: [state] }) },
          },
        }),
      ),
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export type Format = "csv" | "jsonl";

const TYPES: Readonly<Record<Format, string>> = { csv: "text/csv", jsonl: "application/x-ndjson" };

/** What a file is: by its name, else by how it begins. */
export function formatOf(name: string, beginning: string): Format {
  if (/\.(jsonl|ndjson|json)$/i.test(name)) return "jsonl";
  if (/\.(csv|txt)$/i.test(name)) return "csv";
  return beginning.trimStart().startsWith("{") ? "jsonl" : "csv";
}

export async function upload(
  functionId: string,
  name: string,
  content: Blob | string,
  format: Format,
): Promise<Uploaded> {
  const query = new URLSearchParams({ function_id: functionId, ...(name && { name }) });
  const answer = await request(`/api/bulk?${query}`, {
    method: "POST",
    headers: { "Content-Type": TYPES[format] },
    body: content,
  });
  return (await answer.json()) as Uploaded;
}

export const OVER: ReadonlySet<string> = new Set(["canceled", "done"]);
export const DRAFT: ReadonlySet<string> = new Set(["ready", "invalid"]);

/** Whether somebody else has to agree before it starts. */
export function waits({ state, approval_id }: Pick<BulkEntry, "state" | "approval_id">): boolean {
  return DRAFT.has(state) && approval_id !== "";
}

/** How long so many rows take at least, in ms. */
export function shortest(rows: number, rate: number): number {
  return rate > 0 ? (rows / rate) * 1_000 : 0;
}
