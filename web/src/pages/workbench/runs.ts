import { useCallback, useSyncExternalStore } from "react";
import { type Answer, type CallFacts, newKey, send, type Wish } from "./sending";

/** One press of the button, and what came of it. */
export interface Run {
  readonly key: string;
  readonly wish: Wish;
  /** Milliseconds since 1970. */
  readonly begun: number;
  readonly ended: number | null;
  readonly state: "sending" | "answered" | "failed" | "stopped";
  readonly answer: Answer | null;
  readonly facts: CallFacts | null;
  readonly error: unknown;
}

const MOST = 20;

/** The runs of each function in this tab, the latest first. They go on while somebody looks at another function. */
const runs = new Map<string, readonly Run[]>();
const stops = new Map<string, AbortController>();
const watchers = new Set<() => void>();
const NONE: readonly Run[] = [];

/** Makes the call that is wished for. */
export function start(wish: Wish): Run {
  const run: Run = {
    key: newKey(),
    wish,
    begun: Date.now(),
    ended: null,
    state: "sending",
    answer: null,
    facts: null,
    error: null,
  };
  put(run);
  void go(run);
  return run;
}

/** Sends the same call once more, under the key that it had: where it was taken the first time, its answer comes. */
export function resend(run: Run): void {
  const again: Run = { ...run, begun: Date.now(), ended: null, state: "sending", error: null };
  put(again);
  void go(again);
}

/** Gives the call up: the server cancels it on its way. */
export function stop(run: Run): void {
  stops.get(run.key)?.abort();
}

export function placeOf(game: string, env: string, functionId: string): string {
  return `${game}|${env}|${functionId}`;
}

export function useRuns(place: string): readonly Run[] {
  const watch = useCallback((changed: () => void) => {
    watchers.add(changed);
    return () => watchers.delete(changed);
  }, []);
  return useSyncExternalStore(watch, () => runs.get(place) ?? NONE);
}

async function go(run: Run): Promise<void> {
  const control = new AbortController();
  stops.set(run.key, control);
  try {
    const [answer, facts] = await send(run.wish, run.key, control.signal);
    put({ ...run, state: "answered", answer, facts, ended: Date.now() });
  } catch (error) {
    put({ ...run, state: control.signal.aborted ? "stopped" : "failed", error, ended: Date.now() });
  } finally {
    stops.delete(run.key);
  }
}

function put(run: Run): void {
  const { game, env, functionId } = run.wish;
  const place = placeOf(game, env, functionId);
  const others = (runs.get(place) ?? []).filter((each) => each.key !== run.key);
  runs.set(place, [run, ...others].slice(0, MOST));
  for (const changed of [...watchers]) changed();
}
