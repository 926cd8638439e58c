import { queryOptions } from "@tanstack/react-query";
import { api, body, setStanding } from "./client";
import { ProblemError } from "./problem";
import type { components } from "./schema";

export type Me = components["schemas"]["Me"];

/** Who is signed in; null when nobody is. The CSRF token of later requests comes with it. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }): Promise<Me | null> => {
    try {
      const me = await body(api.GET("/api/me", { signal }));
      setStanding({ csrf: me.csrf_token });
      return me;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** Whether they may `wanted` (`packs:import`) in the scope the page stands in. The server decides; this only spares dead buttons. */
export function may(me: Me | null | undefined, wanted: string): boolean {
  return Boolean(me && (me.root || me.may.includes(wanted)));
}

/** Whether they may it in some scope: a page of it is worth opening. */
export function maySomewhere(me: Me | null | undefined, wanted: string): boolean {
  return Boolean(me && (me.root || me.may_somewhere.includes(wanted)));
}
