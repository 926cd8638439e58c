import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const ROLE_TABS = ["roles", "matrix", "bindings", "policy"] as const;
export type RoleTab = (typeof ROLE_TABS)[number];

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : undefined;
}

export const accessRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/users",
    validateSearch: (search: Record<string, unknown>): { user?: string } => {
      const user = text(search.user);
      return user ? { user } : {};
    },
    component: lazyPage(() => import("./UsersPage"), "UsersPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/roles",
    validateSearch: (search: Record<string, unknown>): { tab?: RoleTab; role?: string } => {
      const tab = ROLE_TABS.find((tab) => tab === search.tab);
      const role = text(search.role);
      return { ...(tab && { tab }), ...(role && { role }) };
    },
    component: lazyPage(() => import("./RolesPage"), "RolesPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/roles/$role/try",
    validateSearch: (search: Record<string, unknown>): { fn?: string; user?: string } => {
      const [fn, user] = [text(search.fn), text(search.user)];
      return { ...(fn && { fn }), ...(user && { user }) };
    },
    component: lazyPage(() => import("./TryPage"), "TryPage"),
  }),
] as const;
