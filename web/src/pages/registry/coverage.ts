import { grouped } from "./grouped";
import type { Registry } from "./queries";
import type { Shown } from "./routes";

/** How a function stands in one game and env. */
export interface Cell {
  readonly healthy: number;
  readonly total: number;
}

export type Standing = "uncovered" | "partial" | "covered";

/** A function, or all whose names begin alike, over games and envs. */
export interface CoverageRow {
  readonly id: string;
  /** Functions in it: 1 but for a prefix. */
  readonly functions: number;
  /** By `game|env`; of a prefix: how many of its functions are fully covered, of how many. Not there: not offered. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** The worst of all. */
  readonly standing: Standing;
}

const WORST: readonly Standing[] = ["uncovered", "partial", "covered"];

export function standingOf({ healthy, total }: Cell): Standing {
  if (healthy === 0) return "uncovered";
  return healthy < total ? "partial" : "covered";
}

function worst(cells: Iterable<Cell>): Standing {
  const found = new Set([...cells].map(standingOf));
  return WORST.find((standing) => found.has(standing)) ?? "covered";
}

/** `player` of `player.ban`; a name without a dot is its own. */
export function prefixOf(id: string): string {
  return id.split(/[./]/, 1)[0] || id;
}

/** Whether `gameEnv` is in `where`: "" everything, a game, or `game|env`. */
export function isIn(where: string, gameEnv: string): boolean {
  return !where || gameEnv === where || gameEnv.startsWith(`${where}|`);
}

/** The games and envs that something is known of, by name. */
export function placesOf(registry: Registry, where: string): string[] {
  const found = (registry.coverage ?? []).map((each) => each.game_env).filter((each) => isIn(where, each));
  return [...new Set(found)].sort();
}

export function rowsOf(registry: Registry, where: string): CoverageRow[] {
  const cells = new Map<string, Map<string, Cell>>();
  const put = (id: string, place: string, cell: Cell) => {
    const row = cells.get(id) ?? new Map<string, Cell>();
    if (!row.has(place)) cells.set(id, row.set(place, cell));
  };
  for (const { game_env: place, functions = {}, uncovered = [] } of registry.coverage ?? []) {
    if (!isIn(where, place)) continue;
    for (const [id, cell] of Object.entries(functions)) put(id, place, cell);
    // Described or assigned, and offered by nobody.
    for (const id of uncovered) put(id, place, { healthy: 0, total: 0 });
  }
  return [...cells]
    .map(([id, row]) => ({ id, functions: 1, cells: row, standing: worst(row.values()) }))
    .sort((a, b) => a.id.localeCompare(b.id));
}

export function shownOf(rows: readonly CoverageRow[], show: Shown, prefix: string): CoverageRow[] {
  return rows.filter((row) => (!prefix || prefixOf(row.id) === prefix) && (show === "all" || hasStanding(row, show)));
}

function hasStanding(row: CoverageRow, standing: Standing): boolean {
  return [...row.cells.values()].some((cell) => standingOf(cell) === standing);
}

/** One row for all functions whose names begin alike. */
export function byPrefix(rows: readonly CoverageRow[]): CoverageRow[] {
  const groups = grouped(rows, (row) => prefixOf(row.id));
  return [...groups].map(([id, members]) => {
    const cells = new Map<string, Cell>();
    for (const [place, cell] of members.flatMap((member) => [...member.cells])) {
      const { healthy, total } = cells.get(place) ?? { healthy: 0, total: 0 };
      cells.set(place, { healthy: healthy + (standingOf(cell) === "covered" ? 1 : 0), total: total + 1 });
    }
    return {
      id,
      functions: members.length,
      cells,
      standing: worst(members.flatMap((each) => [...each.cells.values()])),
    };
  });
}

/** How many functions stand how, at their worst. */
export function counted(rows: readonly CoverageRow[]): Record<Standing, number> {
  const counts = { uncovered: 0, partial: 0, covered: 0 };
  for (const row of rows) counts[row.standing] += 1;
  return counts;
}
