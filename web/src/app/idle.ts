/** In ms; after so long it is done although there is something to do. */
const LATEST = 2_000;

/** Does `act` when the page has nothing else to do. What is returned takes it back. */
export function whenIdle(act: () => void): () => void {
  // Safari has no idle callbacks.
  if (!("requestIdleCallback" in globalThis)) {
    const timer = setTimeout(act, LATEST);
    return () => clearTimeout(timer);
  }
  const asked = requestIdleCallback(act, { timeout: LATEST });
  return () => cancelIdleCallback(asked);
}

/** Code that is wanted soon, before it is asked for. One that is not there now is loaded, and missed, where it is needed. */
export function loadWhenIdle(load: () => Promise<unknown>): () => void {
  return whenIdle(() => void load().catch(() => undefined));
}
