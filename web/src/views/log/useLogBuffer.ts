import { startTransition, useCallback, useEffect, useRef, useState } from "react";
import type { LogLine } from "./lines";

const MOST = 100_000;

export interface LogBuffer {
  readonly lines: readonly LogLine[];
  /** How many lines were let go because there are more than 100 000. */
  readonly dropped: number;
}

const NOTHING: LogBuffer = { lines: [], dropped: 0 };

/** In ms: nobody reads more often, and keys come in between. */
const DRAWN_EVERY = 100;

/** Lines as they come, however fast: all of them are kept, and the page is drawn anew ten times a second. */
export function useLogBuffer(): LogBuffer & { readonly append: (line: LogLine) => void; readonly clear: () => void } {
  const [buffer, setBuffer] = useState<LogBuffer>(NOTHING);
  const waiting = useRef<LogLine[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const drawn = useRef(0);
  const append = useCallback((line: LogLine) => {
    waiting.current.push(line);
    // Timers, not frames: a tab in the background has none, and would keep every line waiting.
    timer.current ??= setTimeout(
      () => {
        timer.current = undefined;
        drawn.current = performance.now();
        const come = waiting.current;
        waiting.current = [];
        // What somebody types comes first.
        startTransition(() => setBuffer((now) => grown(now, come)));
      },
      Math.max(0, drawn.current + DRAWN_EVERY - performance.now()),
    );
  }, []);
  const clear = useCallback(() => {
    waiting.current = [];
    startTransition(() => setBuffer(NOTHING));
  }, []);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return { ...buffer, append, clear };
}

export function grown(now: LogBuffer, come: readonly LogLine[], most = MOST): LogBuffer {
  const all = now.lines.concat(come);
  // A tenth at once, so that not every line moves all others.
  const over = all.length > most ? all.length - most + Math.floor(most / 10) : 0;
  return { lines: over ? all.slice(over) : all, dropped: now.dropped + over };
}
