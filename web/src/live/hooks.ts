import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import type { OnMessage } from "./client";
import { live } from "./connect";
import type { LiveState } from "./protocol";

/** Calls `onMessage` with what the stream says of `topic` (null: of nothing), as long as the component is shown. */
export function useTopic(topic: string | null, onMessage: OnMessage): void {
  const tell = useEffectEvent(onMessage);
  useEffect(() => (topic ? live.subscribe(topic, (message) => tell(message)) : undefined), [topic]);
}

const COALESCED = 500;

/** Asks the query again when `topic` speaks, or may have spoken unheard; at most twice a second. */
export function useInvalidateOn(topic: string | null, queryKey: QueryKey): void {
  const queries = useQueryClient();
  const invalidate = useEffectEvent(() => void queries.invalidateQueries({ queryKey }));
  useEffect(() => {
    if (!topic) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = live.subscribe(topic, (message) => {
      if (message.type === "denied") return;
      timer ??= setTimeout(() => {
        timer = undefined;
        invalidate();
      }, COALESCED);
    });
    return () => {
      leave();
      clearTimeout(timer);
      // What was said last is heard too: of something that has ended there is nothing more to come.
      if (timer !== undefined) invalidate();
    };
  }, [topic]);
}

/** Whether the page is told what happens, and since when it is or is not. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(live.watch, () => live.state);
}
