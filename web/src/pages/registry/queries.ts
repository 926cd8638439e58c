import { queryOptions } from "@tanstack/react-query";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";

export type Registry = components["schemas"]["RegistryView"];
export type Agent = components["schemas"]["AgentView"];
export type Instance = components["schemas"]["InstanceView"];
export type FunctionDocument = components["schemas"]["FunctionDocument"];
export type Origin = components["schemas"]["OriginDocument"];
export type Version = components["schemas"]["VersionDocument"];

/** Agents, functions and coverage at this moment, of every scope that one may see. */
export const registryQuery = queryOptions({
  queryKey: ["registry"],
  queryFn: ({ signal }) => body(api.GET("/api/registry", { signal, headers: EVERYWHERE })),
});

/** The game servers that offer `functionId`, or any function where it is "", in every scope that one may see. */
export function instancesQuery(functionId: string) {
  return queryOptions({
    queryKey: ["registry", "instances", functionId],
    queryFn: async ({ signal }) => {
      const query = functionId ? { function_id: functionId } : {};
      const found = await body(api.GET("/api/function_instances", { signal, headers: EVERYWHERE, params: { query } }));
      return found.instances;
    },
  });
}

/** What everybody says of a function, in the scope that the page stands in. */
export function descriptionQuery(game: string, env: string, id: string) {
  return queryOptions({
    queryKey: ["catalog", "description", game, env, id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/descriptors/{function_id}", { signal, params: { path: { function_id: id } } })),
  });
}

/** What changed between two versions; without digests, between what counts now and what it was before. */
export function differenceQuery(game: string, env: string, id: string, from: string, to: string) {
  const query = { ...(from && { from }), ...(to && { to }) };
  return queryOptions({
    queryKey: ["catalog", "difference", game, env, id, from, to],
    queryFn: ({ signal }) =>
      body(api.GET("/api/descriptors/{function_id}/diff", { signal, params: { path: { function_id: id }, query } })),
    retry: false,
  });
}
