import type { components } from "#/api/schema";
import { counted, rowsOf } from "#/pages/registry/coverage";
import type { Registry } from "#/pages/registry/queries";

type Game = components["schemas"]["GameEntry"];

/** One environment of a game, and how it stands. */
export interface Place {
  readonly game: string;
  readonly env: string;
  readonly production: boolean;
  readonly agents: number;
  readonly healthyAgents: number;
  readonly functions: number;
  readonly uncovered: number;
  readonly partial: number;
  /** null: all functions. */
  readonly assigned: readonly string[] | null;
}

/** What is known of every game and env; of the registry only where one may see it. */
export function placesOf(games: readonly Game[], registry: Registry | undefined): Place[] {
  return games.flatMap(({ game_id: game, envs }) =>
    envs.map(({ env, production }) => {
      const scope = `${game}|${env}`;
      const agents = (registry?.agents ?? []).filter((agent) => agent.game_id === game && agent.env === env);
      const rows = registry ? rowsOf(registry, scope) : [];
      const { uncovered, partial } = counted(rows);
      return {
        game,
        env,
        production,
        agents: agents.length,
        healthyAgents: agents.filter((agent) => agent.healthy).length,
        functions: rows.length,
        uncovered,
        partial,
        assigned: registry?.assignments?.[scope] ?? null,
      };
    }),
  );
}
