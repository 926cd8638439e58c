import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";

export interface EntitySearch {
  /** Arguments of the list, as JSON. */
  readonly args?: string;
  /** The function whose form is open beside the page. */
  readonly op?: string;
}

export interface ItemSearch {
  readonly op?: string;
  /** "yes": the timeline has queries too. */
  readonly queries?: string;
}

export const entityRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/entities",
    component: lazyPage(() => import("./EntitiesPage"), "EntitiesPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/entities/$type",
    validateSearch: (search: Record<string, unknown>): EntitySearch => textsOf(search, ["args", "op"]),
    component: lazyPage(() => import("./EntityPage"), "EntityPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/entities/$type/$id",
    validateSearch: (search: Record<string, unknown>): ItemSearch => textsOf(search, ["op", "queries"]),
    component: lazyPage(() => import("./ItemPage"), "ItemPage"),
  }),
] as const;
