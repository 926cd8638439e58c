import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, type Scope } from "#/api/client";
import type { components, paths } from "#/api/schema";
import type { Tab } from "./routes";

export type Entry = components["schemas"]["ApprovalEntry"];
export type Document = components["schemas"]["ApprovalDocument"];

const PAGE = 100;

type Asked = NonNullable<paths["/api/approvals"]["get"]["parameters"]["query"]>;

const ASKED: Record<Tab, Asked> = {
  waiting: { state: ["pending"] },
  mine: { mine: true },
  review: { review: "open" },
  all: {},
};

export function approvalsQuery(scope: Scope, tab: Tab, functionId: string) {
  return infiniteQueryOptions({
    queryKey: ["approvals", scope.game, scope.env, tab, functionId],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => {
      const query: Asked = {
        ...ASKED[tab],
        limit: PAGE,
        ...(functionId && { function_id: functionId }),
        ...(pageParam && { after: pageParam }),
      };
      return body(api.GET("/api/approvals", { signal, params: { query } }));
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}

export function approvalQuery(approvalId: string) {
  return queryOptions({
    queryKey: ["approvals", "one", approvalId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/approvals/{approval_id}", { signal, params: { path: { approval_id: approvalId } } })),
  });
}

/** Where an approval is of: a game and an environment. */
export function scopeOf(entry: Pick<Entry, "game_id" | "env">): string {
  return `${entry.game_id} / ${entry.env}`;
}

/** How many of the stage at work have agreed, and how many have to. */
export function agreement(entry: Pick<Entry, "stages">): { agreed: number; threshold: number } {
  const stage = entry.stages.find((stage) => stage.approved_by.length < stage.threshold) ?? entry.stages.at(-1);
  return { agreed: stage?.approved_by.length ?? 0, threshold: stage?.threshold ?? 0 };
}
