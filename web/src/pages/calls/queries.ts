import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, type Scope } from "#/api/client";
import { ProblemError } from "#/api/problem";
import type { components, paths } from "#/api/schema";
import { outputsOf } from "#/views";
import type { CallsSearch, Span } from "./routes";

export type CallEntry = components["schemas"]["CallEntry"];
export type RecordedCall = components["schemas"]["RecordedCall"];

type Asked = NonNullable<paths["/api/calls"]["get"]["parameters"]["query"]>;

const PAGE = 100;
const HOUR = 3_600_000;
const SPAN_MS: Record<Span, number> = { "1h": HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR };

/** The moment a span begins, for `since`. */
export function sinceOf(span: Span | undefined, now = Date.now()): { since?: string } {
  return span ? { since: String(now - SPAN_MS[span]) } : {};
}

export function callsQuery(scope: Scope, search: CallsSearch) {
  const { live: _, ...filter } = search;
  return infiniteQueryOptions({
    queryKey: ["calls", scope.game, scope.env, filter],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => {
      const query: Asked = {
        limit: PAGE,
        ...(filter.fn && { function_id: filter.fn }),
        ...(filter.state && { state: [filter.state] }),
        ...(filter.caller && { caller: filter.caller }),
        ...(filter.trace && { trace_id: filter.trace }),
        ...(filter.key && { idempotency_key: filter.key }),
        ...(filter.again && { replay_of: filter.again }),
        ...sinceOf(filter.since),
        ...(pageParam && { after: pageParam }),
      };
      return body(api.GET("/api/calls", { signal, params: { query } }));
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}

const WRITTEN_WITHIN = 8;

/** One call whole. A call that has just ended is recorded a moment later: not found is asked again for a while. */
export function callQuery(callId: string, reveal = false) {
  return queryOptions({
    queryKey: ["calls", "one", callId, reveal],
    queryFn: ({ signal }) =>
      body(api.GET("/api/calls/{call_id}", { signal, params: { path: { call_id: callId }, query: { reveal } } })),
    retry: (tried, error) =>
      error instanceof ProblemError && error.status < 500 ? error.status === 404 && tried < WRITTEN_WITHIN : tried < 3,
    retryDelay: 300,
  });
}

/** What is known of a function: its names and its views. */
export function functionQuery(functionId: string) {
  return queryOptions({
    queryKey: ["descriptors", "one", functionId],
    queryFn: async ({ signal }) => {
      try {
        return await body(
          api.GET("/api/descriptors/{function_id}", { signal, params: { path: { function_id: functionId } } }),
        );
      } catch (error) {
        // Nobody has described it: it is called all the same, and shown as JSON.
        if (error instanceof ProblemError && error.status === 404) return null;
        throw error;
      }
    },
    select: (known) => ({
      displayName: known?.descriptor.display_name as { en?: string; zh?: string } | undefined,
      outputs: outputsOf(known?.descriptor),
      semantics: (known?.descriptor.semantics ?? {}) as Readonly<Record<string, unknown>>,
      risk: known?.descriptor.risk as string | undefined,
    }),
    staleTime: 60_000,
  });
}

/** The bytes of a value that is no JSON, as the server sends them. */
export function decoded(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
