import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { textsOf } from "#/app/search";

export const REGISTRY_TABS = ["coverage", "agents"] as const;
export type RegistryTab = (typeof REGISTRY_TABS)[number];

export const SHOWN = ["all", "uncovered", "partial"] as const;
export type Shown = (typeof SHOWN)[number];

export interface RegistrySearch {
  readonly tab?: RegistryTab;
  readonly show?: Shown;
  /** One game, or `game|env`; without it all that one may see. */
  readonly where?: string;
  /** "prefix": functions by the first part of their names. */
  readonly by?: string;
  /** Only functions whose names begin so. */
  readonly prefix?: string;
  /** The agent that is open. */
  readonly agent?: string;
}

export interface RegistryFunctionSearch {
  /** Versions that are compared, by digest. */
  readonly old?: string;
  readonly new?: string;
}

export const registryRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/registry",
    validateSearch: (search: Record<string, unknown>): RegistrySearch => {
      const tab = REGISTRY_TABS.find((tab) => tab === search.tab);
      const show = SHOWN.find((show) => show === search.show);
      return { ...textsOf(search, ["where", "by", "prefix", "agent"]), ...(tab && { tab }), ...(show && { show }) };
    },
    component: lazyPage(() => import("./RegistryPage"), "RegistryPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/registry/$fn",
    validateSearch: (search: Record<string, unknown>): RegistryFunctionSearch => textsOf(search, ["old", "new"]),
    component: lazyPage(() => import("./FunctionPage"), "FunctionPage"),
  }),
] as const;
