import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, request, type Scope } from "#/api/client";
import type { components } from "#/api/schema";
import { parseJson, toJson } from "#/schema-form";

export type Entity = components["schemas"]["EntityDocument"];
export type Operation = components["schemas"]["EntityOperation"];
export type TimelineEntry = components["schemas"]["TimelineEntry"];

export function entitiesQuery({ game, env }: Scope) {
  return queryOptions({
    queryKey: ["entities", "types", game, env],
    queryFn: async ({ signal }) => (await body(api.GET("/api/entities", { signal }))).entities,
  });
}

export function entityQuery({ game, env }: Scope, entity: string) {
  return queryOptions({
    queryKey: ["entities", "types", game, env, entity],
    queryFn: ({ signal }) => body(api.GET("/api/entities/{entity}", { signal, params: { path: { entity } } })),
  });
}

/** What a function that changes nothing answers; `approval` where somebody has to agree first. */
export interface Answered {
  readonly value: unknown;
  readonly approval: string;
}

/** A call as any other: checked, allowed or not, and recorded. Only for functions that change nothing. */
export function answerQuery({ game, env }: Scope, functionId: string, payload: unknown) {
  const asked = toJson({ function_id: functionId, game_id: game, env, payload });
  return queryOptions({
    queryKey: ["entities", "answers", game, env, functionId, asked],
    queryFn: async ({ signal }): Promise<Answered> => {
      const headers = { "Content-Type": "application/json" };
      const response = await request("/api/invoke", { method: "POST", headers, body: asked, signal });
      const value = parseJson(await response.text());
      const approval = response.status === 202 ? String((value as Record<string, unknown>).approval_id ?? "") : "";
      return { value, approval };
    },
    // Each asking is a call on record.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
}

export function timelineQuery({ game, env }: Scope, entity: string, id: string, queries: boolean) {
  return infiniteQueryOptions({
    queryKey: ["entities", "timeline", game, env, entity, id, queries],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => {
      const query = { queries, ...(pageParam && { before: pageParam }) };
      const path = { entity, entity_id: id };
      return body(api.GET("/api/entities/{entity}/items/{entity_id}/timeline", { signal, params: { path, query } }));
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}
