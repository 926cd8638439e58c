import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";

export const BULK_STATES = [
  "uploading",
  "ready",
  "invalid",
  "running",
  "canary_done",
  "paused",
  "canceling",
  "canceled",
  "done",
] as const;
export type BulkState = (typeof BULK_STATES)[number];

export const ROW_STATES = [
  "pending",
  "running",
  "succeeded",
  "failed",
  "unknown",
  "invalid",
  "skipped",
  "canceled",
] as const;
export type RowState = (typeof ROW_STATES)[number];

export const bulkRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/bulk",
    validateSearch: (search: Record<string, unknown>): { readonly state?: BulkState } => {
      const state = BULK_STATES.find((state) => state === search.state);
      return state ? { state } : {};
    },
    component: lazyPage(() => import("./BulksPage"), "BulksPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/bulk/new",
    validateSearch: (search: Record<string, unknown>): { readonly fn?: string } => textsOf(search, ["fn"]),
    component: lazyPage(() => import("./UploadPage"), "UploadPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/bulk/$bulkId",
    validateSearch: (search: Record<string, unknown>): { readonly rows?: RowState } => {
      const rows = ROW_STATES.find((state) => state === search.rows);
      return rows ? { rows } : {};
    },
    component: lazyPage(() => import("./BulkPage"), "BulkPage"),
  }),
] as const;
