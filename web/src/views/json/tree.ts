import { isObject } from "../spec";

/** Elements that stand together when there are too many to draw at once. */
export const GROUP = 100;
/** What is drawn of a text before somebody asks for all of it. */
export const SHORT = 300;
const FIRST_LOOK = 120;
const DEEPEST = 60;

export type Entry = readonly [name: string | number, value: unknown];

export function entries(value: unknown): readonly Entry[] | null {
  if (Array.isArray(value)) return value.map((each, index) => [index, each]);
  if (isObject(value)) return Object.entries(value);
  return null;
}

/** To what depth a value is open at first: as deep as it goes with about a hundred lines. */
export function opened(value: unknown): number {
  let level: unknown[] = [value];
  let lines = 1;
  for (let depth = 0; depth < DEEPEST; depth++) {
    level = level.flatMap((each) =>
      Array.isArray(each) ? each.slice(0, FIRST_LOOK) : isObject(each) ? Object.values(each).slice(0, FIRST_LOOK) : [],
    );
    lines += level.length;
    if (level.length === 0) return depth;
    if (lines > FIRST_LOOK) return Math.max(1, depth);
  }
  return DEEPEST;
}

/** What opening everything opens without being asked twice: nothing below this many lines deep. */
export const OPEN_AT_MOST = 12;
