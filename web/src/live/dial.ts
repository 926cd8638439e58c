import type { Dial } from "./protocol";

const NAMED = ["reset", "denied", "end", "ping"] as const;

/** A stream of the server by the browser's EventSource. When it breaks it stays closed: the line decides when to dial again. */
export const dialEventSource: Dial = (url, events) => {
  const source = new EventSource(url);
  source.onopen = () => events.opened();
  const forward = (name: string) => (event: MessageEvent<string>) => events.event(name, event.data, event.lastEventId);
  source.onmessage = forward("message");
  for (const name of NAMED) source.addEventListener(name, forward(name));
  source.onerror = () => {
    const refused = source.readyState === EventSource.CLOSED;
    source.close();
    events.broken(refused);
  };
  return { close: () => source.close() };
};
