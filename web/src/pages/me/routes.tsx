import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "#/app/root";

export const meRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/me",
    component: lazyRouteComponent(() => import("./MePage"), "MePage"),
  }),
] as const;
