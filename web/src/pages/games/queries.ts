import { queryOptions } from "@tanstack/react-query";
import { api, EVERYWHERE, request } from "#/api/client";
import type { components } from "#/api/schema";

export type MaintenanceWindow = components["schemas"]["MaintenanceWindow"];
export type Assignments = Readonly<Record<string, readonly string[]>>;

/** What every game and env may use, with the tag that a change of it names. */
export const assignmentsQuery = queryOptions({
  queryKey: ["assignments"],
  queryFn: async ({ signal }) => {
    const { data, response } = await api.GET("/api/assignments", { signal, headers: EVERYWHERE });
    return { assignments: (data ?? {}) as Assignments, etag: response.headers.get("etag") ?? "" };
  },
});

/** Replaces them all, unless somebody else did since `etag` was read. */
export async function putAssignments(assignments: Assignments, etag: string): Promise<void> {
  const headers = { "Content-Type": "application/json", ...EVERYWHERE, ...(etag && { "If-Match": etag }) };
  await request("/api/assignments", { method: "PUT", headers, body: JSON.stringify(assignments) });
}

/** Every function that anybody describes, also those that no game and env may use yet. */
export const describedQuery = queryOptions({
  queryKey: ["catalog", "ids"],
  queryFn: async ({ signal }) => {
    const { data } = await api.GET("/api/descriptors", { signal, headers: EVERYWHERE });
    const found: readonly Readonly<Record<string, unknown>>[] = Array.isArray(data) ? data : [];
    return found.map(({ id }) => id).filter((id) => typeof id === "string");
  },
  staleTime: 60_000,
});

/** Windows that are open or planned, as far as one may see them. */
export const windowsQuery = queryOptions({
  queryKey: ["maintenance", "everywhere"],
  queryFn: async ({ signal }) => {
    const { data } = await api.GET("/api/maintenance", { signal, headers: EVERYWHERE });
    return data?.windows ?? [];
  },
});
