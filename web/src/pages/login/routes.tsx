import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
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
    component: lazyRouteComponent(() => import("./LoginPage"), "LoginPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/setup",
    component: lazyRouteComponent(() => import("./SetupPage"), "SetupPage"),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/invitation",
    component: lazyRouteComponent(() => import("./InvitationPage"), "InvitationPage"),
  }),
] as const;
