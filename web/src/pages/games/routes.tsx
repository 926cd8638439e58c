import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "#/app/root";

export const gameRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/games",
    component: lazyRouteComponent(() => import("./GamesPage"), "GamesPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/games/$id/envs",
    component: lazyRouteComponent(() => import("./GamePage"), "GamePage"),
  }),
] as const;
