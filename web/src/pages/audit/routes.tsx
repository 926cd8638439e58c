import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const FILTERS = [
  "text",
  "actor",
  "action",
  "target",
  "call_id",
  "value",
  "since",
  "until",
  "result",
  "phase",
] as const;
export type FilterName = (typeof FILTERS)[number];

/** Filters as `/api/audit` takes them; `row` is open beside the table; `everywhere` looks beyond the game one stands in. */
export type AuditSearch = { readonly [K in FilterName | "row" | "everywhere"]?: string };

export const auditRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/audit",
    validateSearch: (search: Record<string, unknown>): AuditSearch =>
      Object.fromEntries(
        [...FILTERS, "row", "everywhere"].flatMap((name) => {
          const value = search[name];
          return typeof value === "string" && value ? [[name, value]] : [];
        }),
      ),
    component: lazyPage(() => import("./AuditPage"), "AuditPage"),
  }),
] as const;
