/** What the stream says of a topic: `data` is the topic's own (docs/reference/http.md). */
export interface LiveMessage {
  readonly topic: string;
  /** The topic's word for what happened; `reset`: something may have been missed, ask by HTTP; `denied`: one may not look at it. */
  readonly type: string;
  readonly data: unknown;
}

export interface LiveState {
  readonly state: "connecting" | "live" | "offline";
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Where a tab stands: the same topic means something else in another game or environment. */
export interface LiveScope {
  readonly game: string;
  readonly env: string;
}

/** From a tab to the hub. `want` is all it wants, so that losing one does not matter. */
export type FromTab =
  | {
      readonly kind: "want";
      readonly scope: LiveScope;
      readonly topics: readonly string[];
      /** Those of them that somebody began to listen to just now. */
      readonly anew: readonly string[];
      readonly visible: boolean;
    }
  /** Dial now: the network is back, or somebody signed in. */
  | { readonly kind: "again" }
  | { readonly kind: "pong" }
  | { readonly kind: "bye" };

/** From the hub to a tab. */
export type ToTab =
  | { readonly kind: "messages"; readonly messages: readonly LiveMessage[] }
  | { readonly kind: "state"; readonly state: LiveState }
  /** Whether one is still signed in should be asked: the stream ended for it, or was refused. */
  | { readonly kind: "ask-me" }
  /** Answer, or you count as closed. */
  | { readonly kind: "ping" }
  /** You counted as closed: say again what you want. */
  | { readonly kind: "who" };

/** As a MessagePort, in one direction. */
export interface TabPort {
  post(message: ToTab): void;
}

/** What the hub needs of an EventSource. */
export interface Stream {
  close(): void;
}

export interface StreamEvents {
  readonly opened: () => void;
  /** `name` is the event's, `message` for the default; `cursor` the id it came with, else "". */
  readonly event: (name: string, data: string, cursor: string) => void;
  /** It broke; `refused` when the server answered and it was no stream. */
  readonly broken: (refused: boolean) => void;
}

/** Opens a stream; everything around the hub's logic that is not time. */
export type Dial = (url: string, events: StreamEvents) => Stream;
