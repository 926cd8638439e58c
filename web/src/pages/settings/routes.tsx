import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "#/app/lazyPage";
import { shellRoute } from "#/app/root";

export const SETTINGS_TABS = ["maintenance", "limits", "secrets", "machines", "about"] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/settings",
    validateSearch: (search: Record<string, unknown>): { tab?: SettingsTab } => {
      const tab = SETTINGS_TABS.find((tab) => tab === search.tab);
      return tab ? { tab } : {};
    },
    component: lazyPage(() => import("./SettingsPage"), "SettingsPage"),
  }),
] as const;
