import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";
import { ROUTES, type RouteName } from "./routing";

export interface WorkbenchSearch {
  /** Arguments as JSON, where they are few and not secret. */
  readonly args?: string;
  /** A recorded call whose arguments fill the form. */
  readonly call?: string;
  readonly route?: RouteName;
  /** The game server of route targeted. */
  readonly target?: string;
  /** The key of route hash. */
  readonly hash?: string;
}

function readSearch(search: Record<string, unknown>): WorkbenchSearch {
  const route = ROUTES.find((name) => name === search.route);
  const texts = ["args", "call", "target", "hash"].filter((name) => typeof search[name] === "string" && search[name]);
  return { ...Object.fromEntries(texts.map((name) => [name, search[name]])), ...(route && { route }) };
}

const layout = createRoute({
  getParentRoute: () => shellRoute,
  id: "workbench",
  component: lazyPage(() => import("./WorkbenchPage"), "WorkbenchPage"),
});

const start = createRoute({
  getParentRoute: () => layout,
  path: "/",
  component: lazyPage(() => import("./WorkbenchPage"), "NothingChosen"),
});

const one = createRoute({
  getParentRoute: () => layout,
  path: "/f/$fn",
  validateSearch: readSearch,
  component: lazyPage(() => import("./FunctionPage"), "FunctionPage"),
});

export const workbenchRoutes = [layout.addChildren([start, one])] as const;
