import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Hub } from "./hub";
import type { FromTab, LiveMessage, StreamEvents, ToTab } from "./protocol";

class Dialled {
  closed = false;
  constructor(
    readonly url: URL,
    readonly events: StreamEvents,
  ) {}
  get topics() {
    return this.url.searchParams.get("topics");
  }
  get cursor() {
    return this.url.searchParams.get("last_event_id");
  }
  say(topic: string, data: unknown, cursor = "") {
    this.events.event("message", JSON.stringify({ topic, type: "told", data }), cursor);
  }
}

let dialled: Dialled[] = [];
let hub: Hub;

function last(): Dialled {
  const stream = dialled.at(-1);
  if (!stream) throw new Error("nothing was dialled");
  return stream;
}

function open(): Dialled[] {
  return dialled.filter((stream) => !stream.closed);
}

function tab(game = "demo") {
  const got: ToTab[] = [];
  let answers = true;
  const said = hub.attach({
    post(message) {
      got.push(message);
      if (message.kind === "ping" && answers) said({ kind: "pong" });
    },
  });
  return {
    said,
    got,
    want: (...topics: string[]) =>
      said({ kind: "want", scope: { game, env: "dev" }, topics, anew: topics, visible: true }),
    say: (message: FromTab) => said(message),
    die: () => {
      answers = false;
    },
    states: () => got.flatMap((each) => (each.kind === "state" ? [each.state.state] : [])),
    messages: (): LiveMessage[] => {
      vi.advanceTimersByTime(20);
      return got.flatMap((each) => (each.kind === "messages" ? each.messages : []));
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  dialled = [];
  hub = new Hub(
    (url, events) => {
      const stream = new Dialled(new URL(url, "http://x"), events);
      dialled.push(stream);
      return {
        close: () => {
          stream.closed = true;
        },
      };
    },
    () => 0.5,
  );
});

afterEach(() => vi.useRealTimers());

test("ten tabs of one scope share one stream, and each is told only what it wants", () => {
  const tabs = Array.from({ length: 10 }, () => tab());
  for (const [at, each] of tabs.entries()) each.want("health", `job:${at}`);
  vi.advanceTimersByTime(50);
  expect(open()).toHaveLength(1);
  expect(last().topics?.split(",")).toHaveLength(11);
  last().events.opened();
  last().say("job:3", { seq: 1 });
  last().say("health", {});
  expect(tabs[3]?.messages().map((message) => message.topic)).toEqual(["job:3", "health"]);
  expect(tabs[4]?.messages().map((message) => message.topic)).toEqual(["health"]);
});

test("a new topic is dialled for with the cursor of what was told last", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().say("health", {}, "cursor-7");
  one.want("health", "jobs");
  vi.advanceTimersByTime(50);
  expect(dialled).toHaveLength(2);
  expect(last().topics).toBe("health,jobs");
  expect(last().cursor).toBe("cursor-7");
  expect(one.states()).not.toContain("offline");
});

test("a topic that is wanted again within moments is not dialled for", () => {
  const one = tab();
  one.want("health", "jobs");
  vi.advanceTimersByTime(10);
  last().events.opened();
  one.want("health");
  vi.advanceTimersByTime(1_000);
  one.want("health", "jobs");
  vi.advanceTimersByTime(10_000);
  expect(dialled).toHaveLength(1);
});

test("what a closed stream still says is not told", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  const first = last();
  one.want("health", "jobs");
  vi.advanceTimersByTime(50);
  first.say("health", {});
  expect(one.messages()).toEqual([]);
});

test("after a break it dials again, later each time, and resumes by its cursor", () => {
  const one = tab();
  one.want("jobs");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().say("jobs", {}, "c1");
  const waits: number[] = [];
  for (let at = 0; at < 8; at += 1) {
    const count = dialled.length;
    last().events.broken(false);
    const begun = Date.now();
    while (dialled.length === count) vi.advanceTimersByTime(100);
    waits.push(Date.now() - begun);
  }
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(waits.at(-1)).toBeLessThanOrEqual(22_500);
  expect(last().cursor).toBe("c1");
  expect(one.states().at(-1)).toBe("offline");
  last().events.opened();
  expect(one.states().at(-1)).toBe("live");
});

test("a stream that pings no more is given up", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  for (let at = 0; at < 10; at += 1) {
    vi.advanceTimersByTime(15_000);
    last().events.event("ping", "{}", "");
  }
  expect(dialled).toHaveLength(1);
  vi.advanceTimersByTime(46_000);
  expect(dialled).toHaveLength(2);
});

test("after the machine slept it dials at once", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(5_001);
  expect(open()).toHaveLength(1);
  expect(dialled).toHaveLength(2);
  expect(hub.size).toBe(1);
});

test("the end of a session is told to the tabs, and nothing is dialled until somebody says so", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().events.event("end", '{"reason":"revoked"}', "");
  vi.advanceTimersByTime(120_000);
  expect(one.got.map((each) => each.kind)).toContain("ask-me");
  expect(dialled).toHaveLength(1);
  one.say({ kind: "again" });
  vi.advanceTimersByTime(10);
  expect(dialled).toHaveLength(2);
});

test("the end of a server that restarts is no end of the session", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().events.event("end", '{"reason":"restarting"}', "");
  vi.advanceTimersByTime(1_000);
  expect(dialled).toHaveLength(2);
  expect(one.got.map((each) => each.kind)).not.toContain("ask-me");
});

test("a refused stream lets the tabs ask whether they are signed in, and is tried again", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.broken(true);
  vi.advanceTimersByTime(2_000);
  expect(one.got.map((each) => each.kind)).toContain("ask-me");
  expect(dialled).toHaveLength(2);
});

test("a reset of all is told to every topic that has no numbers of its own", () => {
  const one = tab();
  one.want("calls", "job:1", "jobs");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().events.event("reset", '{"reason":"restarted"}', "");
  expect(one.messages().map(({ topic, type }) => [topic, type])).toEqual([
    ["calls", "reset"],
    ["jobs", "reset"],
  ]);
});

test("who comes late to a job is told it from the beginning, and the other topics ask again", () => {
  const one = tab();
  one.want("job:1", "jobs");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().say("job:1", { seq: 1 }, "c1");
  const two = tab();
  two.want("job:1");
  vi.advanceTimersByTime(50);
  expect(last().cursor).toBeNull();
  last().events.opened();
  for (const seq of [1, 2]) last().say("job:1", { seq }, `c${seq}`);
  expect(two.messages().map(({ data }) => data)).toEqual([{ seq: 1 }, { seq: 2 }]);
  expect(one.messages().filter(({ type }) => type === "reset")).toMatchObject([{ topic: "jobs" }]);
});

test("who comes back to a job is told it from the beginning, whatever the cursor knows", () => {
  const one = tab();
  one.want("health", "job:1");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().say("job:1", { seq: 1 }, "c1");
  one.want("health");
  vi.advanceTimersByTime(5_000);
  expect(last().topics).toBe("health");
  one.want("health", "job:1");
  vi.advanceTimersByTime(50);
  expect(last().cursor).toBeNull();
});

test("a topic one may not look at is told as such, and the rest goes on", () => {
  const one = tab();
  one.want("calls", "health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().events.event("denied", '{"topic":"calls","detail":"needs calls:read"}', "");
  expect(one.messages()).toMatchObject([{ topic: "calls", type: "denied", data: { detail: "needs calls:read" } }]);
  expect(open()).toHaveLength(1);
});

test("the topics of a closed tab are let go", () => {
  const one = tab();
  const two = tab();
  one.want("health");
  two.want("jobs");
  vi.advanceTimersByTime(50);
  last().events.opened();
  two.say({ kind: "bye" });
  vi.advanceTimersByTime(5_000);
  expect(last().topics).toBe("health");
  one.say({ kind: "bye" });
  expect(open()).toHaveLength(0);
  expect(hub.size).toBe(0);
});

test("a tab that died without a word is dropped, and one that thaws comes back", () => {
  const one = tab();
  const two = tab();
  one.want("health");
  two.want("jobs");
  two.die();
  for (let at = 0; at < 8; at += 1) {
    vi.advanceTimersByTime(15_000);
    last().events.event("ping", "{}", "");
  }
  expect(hub.size).toBe(1);
  two.say({ kind: "pong" });
  expect(two.got.at(-1)?.kind).toBe("who");
  two.want("jobs");
  expect(hub.size).toBe(2);
});

test("tabs in more scopes than there are lines: those looked at last are live", () => {
  const tabs = ["a", "b", "c", "d"].map((game) => {
    const one = tab(game);
    one.want("health");
    return one;
  });
  vi.advanceTimersByTime(50);
  expect(open().map((stream) => stream.url.searchParams.get("game_id"))).toEqual(["b", "c", "d"]);
  tabs[0]?.want("health");
  vi.advanceTimersByTime(50);
  expect(open().map((stream) => stream.url.searchParams.get("game_id"))).toEqual(["c", "d", "a"]);
});

test("an event that is no JSON harms nothing", () => {
  const one = tab();
  one.want("health");
  vi.advanceTimersByTime(10);
  last().events.opened();
  last().events.event("message", "{", "");
  last().say("health", { fine: true });
  expect(one.messages()).toHaveLength(1);
});
