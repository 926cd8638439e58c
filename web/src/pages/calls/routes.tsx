import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";

export const CALL_STATES = ["waiting", "running", "succeeded", "failed", "canceled", "outcome_unknown"] as const;
export type CallState = (typeof CALL_STATES)[number];

export const SPANS = ["1h", "24h", "7d"] as const;
export type Span = (typeof SPANS)[number];

/** What is listed; all of it stands in the URL. */
export interface CallsSearch {
  readonly fn?: string;
  readonly state?: CallState;
  readonly caller?: string;
  readonly trace?: string;
  readonly key?: string;
  readonly again?: string;
  readonly since?: Span;
  /** "off": the list stays as it is while calls come. */
  readonly live?: string;
}

export interface CallSearch {
  /** Another call to compare with. */
  readonly with?: string;
}

const TEXTS = ["fn", "caller", "trace", "key", "again", "live"] as const;

export function spanOf(search: Record<string, unknown>): { since?: Span } {
  const since = SPANS.find((span) => span === search.since);
  return since ? { since } : {};
}

export const callsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/calls",
    validateSearch: (search: Record<string, unknown>): CallsSearch => {
      const state = CALL_STATES.find((state) => state === search.state);
      return { ...textsOf(search, TEXTS), ...spanOf(search), ...(state && { state }) };
    },
    component: lazyPage(() => import("./CallsPage"), "CallsPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/calls/$callId",
    validateSearch: (search: Record<string, unknown>): CallSearch => textsOf(search, ["with"]),
    component: lazyPage(() => import("./CallPage"), "CallPage"),
  }),
] as const;
