import type { FromTab, LiveMessage, LiveScope, LiveState, ToTab } from "./protocol";

export type OnMessage = (message: LiveMessage) => void;

/** Sends to the hub, which answers by `receive` of the client. */
export type Connect = (receive: (message: ToTab) => void) => (message: FromTab) => void;

interface Listener {
  readonly onMessage: OnMessage;
  /** The last event of a job that it was told: a job may be told again for somebody who came later. */
  seen: number;
}

/** A tab's end of the browser's one stream: who wants which topic, and telling them. Connects when the first topic is wanted. */
export class LiveClient {
  state: LiveState = { state: "connecting", since: Date.now() };
  #send: ((message: FromTab) => void) | null = null;
  #scope: LiveScope = { game: "", env: "" };
  #saying = false;
  readonly #topics = new Map<string, Set<Listener>>();
  readonly #anew = new Set<string>();
  readonly #watchers = new Set<() => void>();
  readonly #askers = new Set<() => void>();

  constructor(readonly connect: Connect) {}

  /** Tells `onMessage` of `topic` until what is returned is called. */
  subscribe(topic: string, onMessage: OnMessage): () => void {
    const listener = { onMessage, seen: 0 };
    const listeners = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, listeners.add(listener));
    if (listeners.size === 1 || isJob(topic)) {
      this.#anew.add(topic);
      this.#sayWhat();
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size || this.#topics.get(topic) !== listeners) return;
      this.#topics.delete(topic);
      this.#sayWhat();
    };
  }

  stand(scope: LiveScope): void {
    if (scope.game === this.#scope.game && scope.env === this.#scope.env) return;
    this.#scope = scope;
    this.#sayWhat();
  }

  /** Dial now instead of at the next try. */
  again(): void {
    this.#send?.({ kind: "again" });
  }

  /** Visible again, or thawed: the hub may have given this tab up. */
  looked(): void {
    this.#sayWhat();
  }

  leave(): void {
    this.#send?.({ kind: "bye" });
  }

  /** Calls `changed` when `state` did. */
  watch = (changed: () => void): (() => void) => {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  };

  /** Calls `ask` when one may be signed in no more. */
  onAskMe(ask: () => void): () => void {
    this.#askers.add(ask);
    return () => this.#askers.delete(ask);
  }

  /** Once for all that changes in one go: leaving a page and coming to another is one wish. */
  #sayWhat(): void {
    if (this.#saying) return;
    this.#saying = true;
    queueMicrotask(() => {
      this.#saying = false;
      if (!this.#send && !this.#topics.size) return;
      this.#send ??= this.connect((message) => this.#receive(message));
      const visible = globalThis.document?.visibilityState !== "hidden";
      const topics = [...this.#topics.keys()];
      this.#send({ kind: "want", scope: this.#scope, topics, anew: [...this.#anew], visible });
      this.#anew.clear();
    });
  }

  #receive(message: ToTab): void {
    if (message.kind === "ping") this.#send?.({ kind: "pong" });
    else if (message.kind === "who") this.#sayWhat();
    else if (message.kind === "ask-me") for (const ask of [...this.#askers]) ask();
    else if (message.kind === "state") this.#now(message.state);
    else for (const each of message.messages) this.#tell(each);
  }

  #tell(message: LiveMessage): void {
    const seq = isJob(message.topic) ? ((message.data as { seq?: number } | null)?.seq ?? 0) : 0;
    for (const listener of [...(this.#topics.get(message.topic) ?? [])]) {
      if (seq && seq <= listener.seen) continue;
      listener.seen = seq || listener.seen;
      listener.onMessage(message);
    }
  }

  #now(state: LiveState): void {
    this.state = state;
    for (const changed of [...this.#watchers]) changed();
  }
}

function isJob(topic: string): boolean {
  return topic.startsWith("job:");
}
