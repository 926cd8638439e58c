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
  if (!(scope.game && scope.env) || !(fn || pathname === "/")) return;
  void queries.prefetchQuery(functionsQuery(scope.game, scope.env));
  if (fn) void queries.prefetchQuery(functionQuery(scope.game, scope.env, decodeURIComponent(fn)));
}
