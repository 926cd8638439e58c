import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { rootRoute } from "#/app/root";
import { readPageSearch } from "#/app/scope";

interface LoginSearch {
  readonly return_to?: string;
}

export const loginRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/login",
    validateSearch: (search: Record<string, unknown>): LoginSearch & ReturnType<typeof readPageSearch> => ({
      ...readPageSearch(search),
      ...(typeof search.return_to === "string" && { return_to: search.return_to }),
    }),
    component: lazyPage(() => import("./LoginPage"), "LoginPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/setup",
    component: lazyPage(() => import("./SetupPage"), "SetupPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/invitation",
    component: lazyPage(() => import("./InvitationPage"), "InvitationPage"),
  }),
] as const;
