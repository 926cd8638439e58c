import type { QueryClient } from "@tanstack/react-query";
import { setStanding } from "#/api/client";
import { meQuery } from "#/api/session";
import { functionQuery, functionsQuery } from "#/functions/functions";
import { loadWhenIdle } from "./idle";
import { keptScope } from "./scope";

/** Asks for what the first page needs while its code is still being loaded: each question later would wait for the one before. */
export function askEarly(queries: QueryClient, { pathname, search }: Location): void {
  const named = new URLSearchParams(search);
  const kept = keptScope();
  const scope = { game: named.get("game") ?? kept.game, env: named.get("env") ?? kept.env };
  setStanding({ scope });
  void queries.prefetchQuery(meQuery);
  const fn = /^\/f\/([^/]+)$/.exec(pathname)?.[1];
  if (fn === undefined && pathname !== "/") return;
  loadDesk(fn !== undefined);
  if (!(scope.game && scope.env)) return;
  void queries.prefetchQuery(functionsQuery(scope.game, scope.env));
  if (fn) void queries.prefetchQuery(functionQuery(scope.game, scope.env, decodeURIComponent(fn)));
}

/** The router asks for it again when it comes to it, and says so where it cannot be had. A form's code waits where no form is asked for. */
function loadDesk(withForm: boolean): void {
  const form = () => import("#/pages/workbench/FunctionPage");
  import("#/pages/workbench/WorkbenchPage").then(() => loadWhenIdle(form)).catch(() => undefined);
  if (withForm) form().catch(() => undefined);
}
