import { isObject } from "../spec";

export interface Change {
  /** JSONPath from the whole. */
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly before?: unknown;
  readonly after?: unknown;
}

export const MOST_CHANGES = 1_000;
const DEEPEST = 64;
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** How `after` differs from `before`, member by member; at most a thousand places. */
export function changes(before: unknown, after: unknown): readonly Change[] {
  const found: Change[] = [];
  compare("$", before, after, found, 0);
  return found;
}

function compare(path: string, before: unknown, after: unknown, found: Change[], depth: number): void {
  if (found.length >= MOST_CHANGES || Object.is(before, after)) return;
  const pair = depth < DEEPEST ? members(before, after) : null;
  if (!pair) {
    if (!sameLeaf(before, after)) found.push({ path, kind: "changed", before, after });
    return;
  }
  for (const name of pair.names) {
    const [had, has] = [Object.hasOwn(pair.before, name), Object.hasOwn(pair.after, name)];
    const at = Array.isArray(before)
      ? `${path}[${name}]`
      : PLAIN.test(name)
        ? `${path}.${name}`
        : `${path}[${JSON.stringify(name)}]`;
    const [was, is] = [(pair.before as Record<string, unknown>)[name], (pair.after as Record<string, unknown>)[name]];
    if (had && has) compare(at, was, is, found, depth + 1);
    else if (found.length < MOST_CHANGES)
      found.push(has ? { path: at, kind: "added", after: is } : { path: at, kind: "removed", before: was });
  }
}

function members(before: unknown, after: unknown): { names: readonly string[]; before: object; after: object } | null {
  const alike = (isObject(before) && isObject(after)) || (Array.isArray(before) && Array.isArray(after));
  if (!alike) return null;
  const names = new Set([...Object.keys(before as object), ...Object.keys(after as object)]);
  return { names: [...names], before: before as object, after: after as object };
}

function sameLeaf(before: unknown, after: unknown): boolean {
  return typeof before === "object" && typeof after === "object" && JSON.stringify(before) === JSON.stringify(after);
}

/** What a diff view is given: `{before, after}`, a pair, or changes that the function found itself. */
export function changesOf(value: unknown): readonly Change[] | null {
  if (isObject(value) && "before" in value && "after" in value) return changes(value.before, value.after);
  if (isObject(value) && "old" in value && "new" in value) return changes(value.old, value.new);
  const list = isObject(value) && Array.isArray(value.changes) ? value.changes : value;
  if (!Array.isArray(list)) return null;
  const given = list.slice(0, MOST_CHANGES).map(readChange);
  if (given.every((change) => change !== null)) return given;
  return list.length === 2 ? changes(list[0], list[1]) : null;
}

function readChange(value: unknown): Change | null {
  if (!isObject(value)) return null;
  const path = value.path ?? value.field;
  if (typeof path !== "string") return null;
  const before = value.before ?? value.old ?? value.from;
  const after = value.after ?? value.new ?? value.to ?? value.value;
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return { path, kind, before, after };
}
