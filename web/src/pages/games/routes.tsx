import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const gameRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/games",
    component: lazyPage(() => import("./GamesPage"), "GamesPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/games/$id/envs",
    component: lazyPage(() => import("./GamePage"), "GamePage"),
  }),
] as const;
