import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, type Scope } from "#/api/client";
import type { components, paths } from "#/api/schema";
import { sinceOf } from "#/pages/calls/queries";
import type { JobsSearch } from "./routes";

export type JobEntry = components["schemas"]["JobEntry"];
export type Job = components["schemas"]["Job"];

type Asked = NonNullable<paths["/api/jobs"]["get"]["parameters"]["query"]>;

const PAGE = 100;

export function jobsQuery(scope: Scope, search: JobsSearch) {
  return infiniteQueryOptions({
    queryKey: ["jobs", scope.game, scope.env, search],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => {
      const query: Asked = {
        limit: PAGE,
        ...(search.fn && { function_id: search.fn }),
        ...(search.state && { state: [search.state] }),
        ...(search.caller && { caller: search.caller }),
        ...(search.agent && { agent_id: search.agent }),
        ...sinceOf(search.since),
        ...(pageParam && { after: pageParam }),
      };
      return body(api.GET("/api/jobs", { signal, params: { query } }));
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}

export function jobQuery(jobId: string) {
  return queryOptions({
    queryKey: ["jobs", "one", jobId],
    queryFn: ({ signal }) => body(api.GET("/jobs/{job_id}", { signal, params: { path: { job_id: jobId } } })),
  });
}

const ENDED = new Set(["succeeded", "failed", "canceled", "lost"]);

export function isOver(state: string): boolean {
  return ENDED.has(state);
}

/** What a state is called; one nobody has a name for by itself. */
export function nameOf(names: Readonly<Record<string, string>>, state: string): string {
  return Object.hasOwn(names, state) ? (names[state] ?? state) : state;
}
