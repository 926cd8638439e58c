import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";

export const PACK_TABS = ["packs", "install", "faults", "conflicts"] as const;
export type PackTab = (typeof PACK_TABS)[number];

export interface PacksSearch {
  readonly tab?: PackTab;
  readonly category?: string;
}

export const packRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/packs",
    validateSearch: (search: Record<string, unknown>): PacksSearch => {
      const tab = PACK_TABS.find((tab) => tab === search.tab);
      return { ...textsOf(search, ["category"]), ...(tab && { tab }) };
    },
    component: lazyPage(() => import("./PacksPage"), "PacksPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/packs/$pack",
    component: lazyPage(() => import("./PackPage"), "PackPage"),
  }),
] as const;
