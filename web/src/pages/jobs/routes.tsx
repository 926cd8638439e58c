import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";
import { type Span, spanOf } from "#/pages/calls/routes";

export const JOB_STATES = ["pending", "running", "succeeded", "failed", "canceled", "lost"] as const;
export type JobState = (typeof JOB_STATES)[number];

export interface JobsSearch {
  readonly fn?: string;
  readonly state?: JobState;
  readonly caller?: string;
  readonly agent?: string;
  readonly since?: Span;
}

export const jobsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/jobs",
    validateSearch: (search: Record<string, unknown>): JobsSearch => {
      const state = JOB_STATES.find((state) => state === search.state);
      return { ...textsOf(search, ["fn", "caller", "agent"]), ...spanOf(search), ...(state && { state }) };
    },
    component: lazyPage(() => import("./JobsPage"), "JobsPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/jobs/$jobId",
    component: lazyPage(() => import("./JobPage"), "JobPage"),
  }),
] as const;
