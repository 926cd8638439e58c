import type { Connect } from "./client";
import { LiveClient } from "./client";
import { dialEventSource } from "./dial";
import { Hub } from "./hub";
import type { ToTab } from "./protocol";

/** To the worker all tabs share; a browser without such workers has a stream for each tab. */
const connect: Connect = (receive) => {
  if (!("SharedWorker" in globalThis)) {
    return new Hub(dialEventSource).attach({ post: receive });
  }
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "croupier.live" });
  worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => receive(data);
  return (message) => worker.port.postMessage(message);
};

/** This tab's. */
export const live = new LiveClient(connect);

globalThis.addEventListener?.("online", () => live.again());
globalThis.addEventListener?.("pagehide", () => live.leave());
globalThis.addEventListener?.("pageshow", () => live.looked());
globalThis.document?.addEventListener("visibilitychange", () => live.looked());
