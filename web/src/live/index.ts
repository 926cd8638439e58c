/** What happens on the server, told while it happens: one stream for all tabs of a browser. */
export { live } from "./connect";
export { useInvalidateOn, useLiveState, useTopic } from "./hooks";
export type { LiveMessage, LiveState } from "./protocol";
