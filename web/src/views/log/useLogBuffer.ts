import { useCallback, useEffect, useRef, useState } from "react";
import type { LogLine } from "./lines";

const MOST = 100_000;

export interface LogBuffer {
  readonly lines: readonly LogLine[];
  /** How many lines were let go because there are more than 100 000. */
  readonly dropped: number;
}

const NOTHING: LogBuffer = { lines: [], dropped: 0 };

/** Lines as they come, however fast: the page is drawn anew once a frame. */
export function useLogBuffer(): LogBuffer & { readonly append: (line: LogLine) => void; readonly clear: () => void } {
  const [buffer, setBuffer] = useState<LogBuffer>(NOTHING);
  const waiting = useRef<LogLine[]>([]);
  const frame = useRef(0);
  const append = useCallback((line: LogLine) => {
    waiting.current.push(line);
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      const come = waiting.current;
      waiting.current = [];
      setBuffer((now) => grown(now, come));
    });
  }, []);
  const clear = useCallback(() => {
    waiting.current = [];
    setBuffer(NOTHING);
  }, []);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
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
