import { queryOptions } from "@tanstack/react-query";
import { api, body, EVERYWHERE, request } from "#/api/client";
import type { components } from "#/api/schema";

export type Pack = components["schemas"]["PackEntry"];
export type PackDetail = components["schemas"]["PackDetail"];
export type PackChange = components["schemas"]["PackChange"];
export type PackStep = components["schemas"]["PackStep"];
export type PackVersion = components["schemas"]["PackVersionEntry"];
export type PackFault = components["schemas"]["PackFault"];

/** Packs are of the platform as a whole. */
const headers = EVERYWHERE;

export const packsQuery = queryOptions({
  queryKey: ["packs"],
  queryFn: ({ signal }) => body(api.GET("/api/packs/list", { signal, headers })),
});

export function packQuery(name: string) {
  return queryOptions({
    queryKey: ["packs", "one", name],
    queryFn: ({ signal }) => body(api.GET("/api/packs/{name}", { signal, headers, params: { path: { name } } })),
  });
}

/** What is left out of the catalog because of what is wrong with it. */
export const faultsQuery = queryOptions({
  queryKey: ["catalog", "faults"],
  queryFn: async ({ signal }) => (await body(api.GET("/api/catalog/faults", { signal, headers }))).faults,
});

export const conflictsQuery = queryOptions({
  queryKey: ["catalog", "conflicts"],
  queryFn: async ({ signal }) => {
    const found = await body(api.GET("/api/descriptors", { signal, headers, params: { query: { detailed: true } } }));
    return Array.isArray(found) ? [] : found.conflicts;
  },
});

export interface Import {
  readonly file: File;
  /** Packs that are uninstalled with it, because it offers what they do. */
  readonly replaces: readonly string[];
  readonly dryRun: boolean;
  /** What the packs were when the change was looked at: it is refused if they are something else by now. */
  readonly etag: string;
}

export async function importPack({ file, replaces, dryRun, etag }: Import): Promise<PackChange> {
  const query = new URLSearchParams({ dry_run: String(dryRun) });
  for (const name of replaces) query.append("replaces", name);
  const form = new FormData();
  form.append("file", file);
  const init = { method: "POST", body: form, headers: { ...headers, ...(etag && { "If-Match": `"${etag}"` }) } };
  return (await request(`/api/packs/import?${query}`, init)).json() as Promise<PackChange>;
}

/** An archive of one pack, or of all where `name` is "". */
export async function exportPacks(name: string): Promise<Blob> {
  const query = name ? `?${new URLSearchParams({ id: name })}` : "";
  return (await request(`/api/packs/export${query}`, { headers })).blob();
}

export type PackAct =
  | { readonly act: "enable" | "disable" | "uninstall" }
  | { readonly act: "rollback"; readonly digest: string };

export function actOn(name: string, act: PackAct): Promise<PackChange> {
  const path = { name };
  switch (act.act) {
    case "enable":
      return body(api.POST("/api/packs/{name}/enable", { headers, params: { path } }));
    case "disable":
      return body(api.POST("/api/packs/{name}/disable", { headers, params: { path } }));
    case "uninstall":
      return body(api.DELETE("/api/packs/{name}", { headers, params: { path } }));
    case "rollback":
      return body(api.POST("/api/packs/{name}/rollback", { headers, params: { path, query: { digest: act.digest } } }));
  }
}
