import { useQuery } from "@tanstack/react-query";
import { type Me, meQuery } from "#/api/session";
import { isProduction, useScope } from "./scope";

/** Whether an environment is a production one: as the server says, else, of one that it does not name, as names go. */
export function isProductionOf(me: Me | null | undefined, game: string, env: string): boolean {
  const told = me?.games.find((each) => each.game_id === game)?.envs.find((each) => each.env === env);
  return told ? told.production : isProduction(env);
}

/** Whether the page stands in a production environment. */
export function useProduction(): boolean {
  const { game, env } = useScope();
  const { data: me } = useQuery(meQuery);
  return isProductionOf(me, game, env);
}
