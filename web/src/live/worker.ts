import { dialEventSource } from "./dial";
import { Hub } from "./hub";
import type { FromTab } from "./protocol";

/** What a shared worker's global object has, which the page's types do not name. */
interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const hub = new Hub(dialEventSource);

(globalThis as unknown as SharedWorkerScope).onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  const said = hub.attach({ post: (message) => port.postMessage(message) });
  port.onmessage = ({ data }: MessageEvent<FromTab>) => said(data);
};
