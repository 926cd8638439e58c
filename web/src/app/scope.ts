import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import { type Scope, setStanding } from "#/api/client";
import { meQuery } from "#/api/session";
import { keepLanguage, preferredLanguage, readLanguage } from "#/i18n/language";

const KEPT_AS = "croupier.scope";

/** What each URL carries, so that a link shows another person the same. */
export interface PageSearch {
  readonly game?: string;
  readonly env?: string;
  readonly lang?: string;
}

export function readPageSearch(search: Record<string, unknown>): PageSearch {
  const found: Record<string, string> = {};
  for (const name of ["game", "env", "lang"]) {
    const value = search[name];
    if (typeof value === "string" && value) found[name] = value;
  }
  return found;
}

export function keptScope(): Scope {
  const [game = "", env = ""] = (localStorage.getItem(KEPT_AS) ?? "").split("|");
  return { game, env };
}

/** The game and environment the page stands in: the URL's, else those chosen last in this browser, else "". */
export function useScope(): Scope {
  const search: PageSearch = useSearch({ strict: false });
  const kept = keptScope();
  const scope = { game: search.game ?? kept.game, env: search.env ?? kept.env };
  setStanding({ scope });
  return scope;
}

/** A production environment cannot be mistaken: the page turns red in it. */
export function isProduction(env: string): boolean {
  return /^(prod|production|live)([-_].*)?$/i.test(env);
}

/** Goes to another game or environment, or another language, on the page where one is. */
export function useChangePage(): (change: PageSearch) => void {
  const navigate = useNavigate();
  return useCallback(
    (change) => {
      const language = readLanguage(change.lang);
      if (language) keepLanguage(language);
      // The route one is on takes these three whatever else it has in its search.
      void navigate({ to: ".", search: (now: Record<string, unknown>) => ({ ...now, ...change }) as never });
    },
    [navigate],
  );
}

/** Keeps what is in the URL for the next visit without one, and puts what is missing into it. */
export function useKeptScope(scope: Scope, first: Scope | undefined): void {
  const search: PageSearch = useSearch({ strict: false });
  const change = useChangePage();
  const game = scope.game || first?.game;
  const env = scope.env || first?.env;
  const queries = useQueryClient();
  // What one may is told for the scope one stands in.
  useEffect(() => {
    const told = queries.getQueryData(meQuery.queryKey)?.scope;
    if ((game || env) && told !== `${game}|${env}`) void queries.invalidateQueries({ queryKey: meQuery.queryKey });
  }, [game, env, queries]);
  useEffect(() => {
    if (game || env) localStorage.setItem(KEPT_AS, `${game ?? ""}|${env ?? ""}`);
    if ((game && search.game !== game) || (env && search.env !== env))
      change({ ...(game && { game }), ...(env && { env }) });
  }, [game, env, search.game, search.env, change]);
}

export function usePageLanguage() {
  const search: PageSearch = useSearch({ strict: false });
  return readLanguage(search.lang) ?? preferredLanguage();
}
