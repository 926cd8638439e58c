import { createRouter } from "@tanstack/react-router";
import { ErrorPage } from "#/components/ErrorPage";
import { accessRoutes } from "#/pages/access/routes";
import { approvalRoutes } from "#/pages/approvals/routes";
import { auditRoutes } from "#/pages/audit/routes";
import { bulkRoutes } from "#/pages/bulk/routes";
import { callsRoutes } from "#/pages/calls/routes";
import { entityRoutes } from "#/pages/entities/routes";
import { gameRoutes } from "#/pages/games/routes";
import { jobsRoutes } from "#/pages/jobs/routes";
import { loginRoutes } from "#/pages/login/routes";
import { meRoutes } from "#/pages/me/routes";
import { packRoutes } from "#/pages/packs/routes";
import { registryRoutes } from "#/pages/registry/routes";
import { settingsRoutes } from "#/pages/settings/routes";
import { workbenchRoutes } from "#/pages/workbench/routes";
import { missingRoute, rootRoute, shellRoute } from "./root";

/** Every page; an area's routes stand beside its pages. */
const pages = [
  ...workbenchRoutes,
  ...accessRoutes,
  ...callsRoutes,
  ...jobsRoutes,
  ...bulkRoutes,
  ...registryRoutes,
  ...packRoutes,
  ...entityRoutes,
  ...approvalRoutes,
  ...auditRoutes,
  ...gameRoutes,
  ...settingsRoutes,
  ...meRoutes,
] as const;

const routeTree = rootRoute.addChildren([shellRoute.addChildren([...pages, missingRoute]), ...loginRoutes]);

export const router = createRouter({
  routeTree,
  // Values in a URL are texts: `?game=1001` stays as it is written.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
    return text && `?${text}`;
  },
  defaultPreload: "intent",
  // In the place of the page that failed: header and navigation stay.
  defaultErrorComponent: ErrorPage,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
