import type { QueryClient } from "@tanstack/react-query";
import { setStanding } from "#/api/client";
import { meQuery } from "#/api/session";
import { functionQuery, functionsQuery } from "#/functions/functions";
import { keptScope } from "./scope";

/** Asks for what the first page needs while its code is still being loaded: each question later would wait for the one before. */
export function askEarly(queries: QueryClient, { pathname, search }: Location): void {
  const named = new URLSearchParams(search);
  const kept = keptScope();
  const scope = { game: named.get("game") ?? kept.game, env: named.get("env") ?? kept.env };
  setStanding({ scope });
  void queries.prefetchQuery(meQuery);
  const fn = /^\/f\/([^/]+)$/.exec(pathname)?.[1];
  const desk = fn !== undefined || pathname === "/";
  if (desk) loadDesk();
  if (!(scope.game && scope.env) || !desk) return;
  void queries.prefetchQuery(functionsQuery(scope.game, scope.env));
  if (fn) void queries.prefetchQuery(functionQuery(scope.game, scope.env, decodeURIComponent(fn)));
}

/** The router asks for it again when it comes to it, and says so where it cannot be had. */
function loadDesk(): void {
  Promise.all([import("#/pages/workbench/WorkbenchPage"), import("#/pages/workbench/FunctionPage")]).catch(
    () => undefined,
  );
}
