import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const meRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/me",
    component: lazyPage(() => import("./MePage"), "MePage"),
  }),
] as const;
