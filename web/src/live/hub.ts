import { Line } from "./line";
import type { Dial, FromTab, LiveMessage, LiveScope, TabPort, ToTab } from "./protocol";

/** Browsers open six connections to a server that speaks HTTP/1.1; most must stay for what people do. */
const MOST_LINES = 3;
const TICK = 5_000;
/** Longer than a hidden page's timers are held back, where the hub lives in one. */
const SLEPT = 75_000;
const PING_EVERY = 4;
/** Tabs that answer none of so many pings are closed, or frozen; those that thaw say again what they want. */
const MOST_UNANSWERED = 3;
const FLUSH = 16;

interface Tab {
  readonly port: TabPort;
  scope: LiveScope;
  topics: ReadonlySet<string>;
  /** Rises whenever it was looked at: the scopes looked at last have lines. */
  looked: number;
  unanswered: number;
  gone: boolean;
  waiting: LiveMessage[];
}

/** Shares lines among the tabs of a browser: each game and environment that tabs stand in has one. */
export class Hub {
  readonly #tabs = new Set<Tab>();
  readonly #lines = new Map<string, Line>();
  #looks = 0;
  #ticks = 0;
  #ticked = Date.now();
  #flushing = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly dial: Dial,
    readonly random: () => number = Math.random,
  ) {}

  /** A tab came; what it says goes to what is returned. */
  attach(port: TabPort): (message: FromTab) => void {
    const tab: Tab = {
      port,
      scope: { game: "", env: "" },
      topics: new Set(),
      looked: 0,
      unanswered: 0,
      gone: false,
      waiting: [],
    };
    this.#tabs.add(tab);
    this.#timer ??= setInterval(() => this.#tick(), TICK);
    return (message) => this.#said(tab, message);
  }

  get size(): number {
    return this.#tabs.size;
  }

  #said(tab: Tab, message: FromTab): void {
    tab.unanswered = 0;
    if (message.kind === "want") this.#wants(tab, message);
    else if (message.kind === "bye") this.#drop(tab);
    else if (tab.gone) tab.port.post({ kind: "who" });
    else if (message.kind === "again") for (const line of this.#lines.values()) line.again();
  }

  #wants(tab: Tab, want: FromTab & { kind: "want" }): void {
    if (tab.gone) this.#tabs.add(tab);
    Object.assign(tab, { gone: false, scope: want.scope, topics: new Set(want.topics) });
    if (want.visible) tab.looked = ++this.#looks;
    this.#lines.get(key(want.scope))?.tellAnew(want.anew);
    this.#arrange();
    const line = this.#lines.get(key(want.scope));
    tab.port.post({ kind: "state", state: line?.state ?? { state: "connecting", since: Date.now() } });
  }

  /** What tabs want of one scope. */
  #wanted(scope: string): Set<string> {
    const here = [...this.#tabs].filter((tab) => key(tab.scope) === scope);
    return new Set(here.flatMap((tab) => [...tab.topics]));
  }

  /** Lines for the scopes looked at last, and none for the others. */
  #arrange(): void {
    const wanting = [...this.#tabs].filter((tab) => tab.topics.size > 0).sort((a, b) => b.looked - a.looked);
    const scopes = new Map(wanting.map((tab) => [key(tab.scope), tab.scope]));
    const served = [...scopes].slice(0, MOST_LINES);
    const names = new Set(served.map(([name]) => name));
    for (const [name, line] of this.#lines) {
      if (names.has(name)) continue;
      line.hangUp();
      this.#lines.delete(name);
    }
    for (const [name, scope] of served) {
      const line = this.#lines.get(name) ?? this.#line(name, scope);
      line.want([...this.#wanted(name)]);
    }
  }

  #line(name: string, scope: LiveScope): Line {
    const line = new Line(
      scope,
      this.dial,
      {
        message: (message) => this.#tell(name, message),
        state: (state) => this.#say(name, { kind: "state", state }),
        askMe: () => this.#say(name, { kind: "ask-me" }),
      },
      this.random,
    );
    this.#lines.set(name, line);
    return line;
  }

  #tell(scope: string, message: LiveMessage): void {
    for (const tab of this.#tabs) {
      if (key(tab.scope) === scope && tab.topics.has(message.topic)) tab.waiting.push(message);
    }
    if (this.#flushing) return;
    this.#flushing = true;
    setTimeout(() => this.#flush(), FLUSH);
  }

  #flush(): void {
    this.#flushing = false;
    for (const tab of this.#tabs) {
      if (tab.waiting.length) tab.port.post({ kind: "messages", messages: tab.waiting });
      tab.waiting = [];
    }
  }

  #say(scope: string, message: ToTab): void {
    for (const tab of this.#tabs) if (key(tab.scope) === scope) tab.port.post(message);
  }

  #tick(): void {
    const now = Date.now();
    const slept = now - this.#ticked > SLEPT;
    this.#ticked = now;
    for (const line of this.#lines.values()) line.check(slept);
    this.#ticks += 1;
    if (slept || this.#ticks % PING_EVERY) return;
    for (const tab of [...this.#tabs]) {
      if (tab.unanswered >= MOST_UNANSWERED) this.#drop(tab);
      else tab.port.post({ kind: "ping" });
      tab.unanswered += 1;
    }
  }

  #drop(tab: Tab): void {
    tab.gone = true;
    tab.waiting = [];
    this.#tabs.delete(tab);
    this.#arrange();
    if (this.#tabs.size) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function key({ game, env }: LiveScope): string {
  return JSON.stringify([game, env]);
}
