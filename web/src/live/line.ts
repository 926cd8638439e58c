import type { Dial, LiveMessage, LiveScope, LiveState, Stream } from "./protocol";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 15_000;
/** The server pings every 15 s. Whoever hears nothing for this long is connected to nobody. */
export const SILENCE = 40_000;
/** A topic nobody wants any more stays for a moment: who comes back to a page has missed nothing, and nothing is dialled. */
const LINGER = 3_000;
const GATHER = 20;
/** As the server takes them. */
const MOST_TOPICS = 64;

export interface LineTold {
  readonly message: (message: LiveMessage) => void;
  readonly state: (state: LiveState) => void;
  readonly askMe: () => void;
}

/** The one stream of a game and environment: keeps it open and gapless, whatever the network, the server and the wish for topics do. */
export class Line {
  state: LiveState = { state: "connecting", since: Date.now() };
  #topics: readonly string[] = [];
  #asked: readonly string[] = [];
  #cursor = "";
  #stream: Stream | null = null;
  #failures = 0;
  #heard = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;
  #ended = false;
  #lingers = false;
  /** Jobs that the cursor may know of: dialled with it they go on, and are not told from their beginning. */
  #begun = new Set<string>();

  constructor(
    readonly scope: LiveScope,
    readonly dial: Dial,
    readonly told: LineTold,
    readonly random: () => number = Math.random,
  ) {}

  /** These topics from now on; without any the line hangs up. */
  want(topics: readonly string[]): void {
    this.#topics = [...topics].sort().slice(0, MOST_TOPICS);
    if (this.#lingers) this.#dialNever();
    if (this.#topics.length === 0) this.hangUp();
    else if (this.#ended) return;
    else if (this.#topics.some((topic) => !this.#asked.includes(topic))) this.#dialIn(this.#stream ? GATHER : 0);
    else if (this.#stream && this.#asked.length > this.#topics.length) this.#dialIn(LINGER, true);
  }

  /** Somebody wants these from their beginning. Where a job is under way, it is told to all once more, and who has seen it passes over it. */
  tellAnew(topics: readonly string[]): void {
    if (!topics.some((topic) => this.#begun.has(topic))) return;
    this.#cursor = "";
    this.#begun.clear();
    this.#dialIn(GATHER);
  }

  /** Dials at once where it waits for its next try, or has ended. */
  again(): void {
    this.#ended = false;
    this.#failures = 0;
    if (!this.#stream && this.#topics.length) this.#dialIn(0);
  }

  /** Called every few seconds: `slept` when the machine did, and whatever was open is not. */
  check(slept: boolean): void {
    const silent = this.#stream !== null && Date.now() - this.#heard > SILENCE;
    if (!(slept || silent) || !this.#topics.length || this.#ended) return;
    this.#failures = 0;
    this.#dialIn(0);
  }

  hangUp(): void {
    this.#dialNever();
    this.#stream?.close();
    this.#stream = null;
    this.#asked = [];
    this.#cursor = "";
    this.#begun.clear();
    this.#now("connecting");
  }

  /** `lingers`: only to let topics go, so that a wish for them calls it off. */
  #dialIn(wait: number, lingers = false): void {
    const due = Date.now() + wait;
    if (due >= this.#due) return;
    this.#lingers = lingers;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  #dialNever(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
    this.#lingers = false;
  }

  #open(): void {
    this.#dialNever();
    this.#stream?.close();
    this.#asked = this.#topics;
    for (const topic of this.#asked) if (isJob(topic)) this.#begun.add(topic);
    this.#heard = Date.now();
    const anew = this.#cursor === "";
    // What one closed stream still has to say is nobody's.
    const ours = () => this.#stream === stream;
    const stream: Stream = this.dial(this.#url(), {
      opened: () => ours() && this.#opened(anew),
      event: (name, data, cursor) => ours() && this.#event(name, data, cursor),
      broken: (refused) => ours() && this.#broken(refused),
    });
    this.#stream = stream;
  }

  #url(): string {
    const { game, env } = this.scope;
    const query = new URLSearchParams({ topics: this.#asked.join(",") });
    if (game) query.set("game_id", game);
    if (env) query.set("env", env);
    if (this.#cursor) query.set("last_event_id", this.#cursor);
    return `/api/events?${query}`;
  }

  #opened(anew: boolean): void {
    const again = this.#failures > 0 || this.state.state !== "connecting";
    this.#failures = 0;
    this.#heard = Date.now();
    this.#now("live");
    if (anew && again) this.#reset("");
  }

  #event(name: string, data: string, cursor: string): void {
    this.#heard = Date.now();
    if (cursor) this.#came(cursor);
    if (name === "ping") return;
    const read = parse(data);
    if (name === "message" && typeof read.topic === "string") this.told.message(read as unknown as LiveMessage);
    else if (name === "reset") this.#reset(String(read.topic ?? ""), read);
    else if (name === "denied") this.told.message({ topic: String(read.topic), type: "denied", data: read });
    else if (name === "end") this.#end(String(read.reason));
  }

  #came(cursor: string): void {
    this.#cursor = cursor;
    if (this.#begun.size) this.#begun = new Set(this.#asked.filter(isJob));
  }

  /** Jobs are gapless by their numbers: whoever follows one need not ask again because another topic must. */
  #reset(topic: string, data: unknown = {}): void {
    const concerned = topic ? [topic] : this.#asked.filter((each) => !isJob(each));
    for (const each of concerned) this.told.message({ topic: each, type: "reset", data });
  }

  #end(reason: string): void {
    this.#stream?.close();
    this.#stream = null;
    this.#now("offline");
    this.#ended = reason !== "restarting";
    if (this.#ended) this.told.askMe();
    else this.#later();
  }

  #broken(refused: boolean): void {
    this.#stream?.close();
    this.#stream = null;
    this.#now("offline");
    if (refused) this.told.askMe();
    this.#later();
  }

  /** Longer each time, and not all browsers at once. */
  #later(): void {
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT);
    this.#failures += 1;
    this.#dialIn(wait * (0.5 + this.random()));
  }

  #now(state: LiveState["state"]): void {
    if (this.state.state === state) return;
    this.state = { state, since: Date.now() };
    this.told.state(this.state);
  }
}

function isJob(topic: string): boolean {
  return topic.startsWith("job:");
}

function parse(data: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(data);
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
