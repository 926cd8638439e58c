import type { MaintenanceWindow } from "./queries";

/** Whether `patterns` admit a function; null admits every one. A `*` at the end stands for everything that begins so. */
export function admits(patterns: readonly string[] | null, id: string): boolean {
  if (patterns === null) return true;
  return patterns.some((pattern) => (pattern.endsWith("*") ? id.startsWith(pattern.slice(0, -1)) : pattern === id));
}

export interface AssignmentChange {
  /** Refused from then on. */
  readonly lost: readonly string[];
  /** May be called from then on. */
  readonly won: readonly string[];
}

/** What another assignment does to the functions that are known. */
export function changeOf(
  known: readonly string[],
  before: readonly string[] | null,
  after: readonly string[] | null,
): AssignmentChange {
  return {
    lost: known.filter((id) => admits(before, id) && !admits(after, id)),
    won: known.filter((id) => !admits(before, id) && admits(after, id)),
  };
}

/** Patterns that admit nothing that is known: mistyped, or of functions that come later. */
export function idle(known: readonly string[], patterns: readonly string[]): string[] {
  return patterns.filter((pattern) => !known.some((id) => admits([pattern], id)));
}

/** What is wrong with a pattern that somebody writes: only its end may be a `*`. */
export function isPattern(text: string): boolean {
  return text.length > 0 && !text.slice(0, -1).includes("*") && !/\s/.test(text);
}

/** Windows that count in a game and env, those that are over left out. */
export function windowsIn(windows: readonly MaintenanceWindow[], game: string, env: string): MaintenanceWindow[] {
  const fits = (said: string, name: string) => said === "" || said === "*" || said === name;
  return windows.filter((window) => window.state !== "over" && fits(window.game_id, game) && fits(window.env, env));
}
