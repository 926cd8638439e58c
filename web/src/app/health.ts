import { useState } from "react";
import { type LiveMessage, useTopic } from "#/live";
import { useScope } from "./scope";

/** How the platform feels: the topic `health` of the live stream. Calls are those of the last minute. */
export interface Health {
  readonly agents: { readonly online: number; readonly known: number };
  readonly calls_in_flight: number;
  readonly calls: number;
  readonly p95_ms: number | null;
  readonly error_share: number;
  readonly version: string;
  /** Of the page that the server serves; "" for none. */
  readonly build: string;
}

/** The last that was told, and where; null before anything was. */
export function useHealth(): Health | null {
  const { game, env } = useScope();
  const here = `${game}|${env}`;
  const [told, setTold] = useState<{ here: string; health: Health } | null>(null);
  useTopic("health", ({ type, data }: LiveMessage) => {
    if (type === "health") setTold({ here, health: data as Health });
  });
  return told?.here === here ? told.health : null;
}
