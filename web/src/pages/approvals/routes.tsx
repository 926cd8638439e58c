import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const TABS = ["waiting", "mine", "review", "all"] as const;
export type Tab = (typeof TABS)[number];

export interface ApprovalsSearch {
  readonly tab?: Tab;
  readonly fn?: string;
}

export const approvalRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/approvals",
    validateSearch: (search: Record<string, unknown>): ApprovalsSearch => {
      const tab = TABS.find((tab) => tab === search.tab);
      return { ...(tab && { tab }), ...(typeof search.fn === "string" && { fn: search.fn }) };
    },
    component: lazyPage(() => import("./ApprovalsPage"), "ApprovalsPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/approvals/$approvalId",
    component: lazyPage(() => import("./ApprovalPage"), "ApprovalPage"),
  }),
] as const;
