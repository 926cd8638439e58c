import { expect, test } from "vitest";
import { LiveClient } from "./client";
import type { FromTab, ToTab } from "./protocol";

function stage() {
  const sent: FromTab[] = [];
  let receive: (message: ToTab) => void = () => undefined;
  const client = new LiveClient((told) => {
    receive = told;
    return (message) => sent.push(message);
  });
  const tell = (topic: string, data: unknown) =>
    receive({ kind: "messages", messages: [{ topic, type: "told", data }] });
  return { client, sent, tell, receive: (message: ToTab) => receive(message) };
}

test("nothing is connected before somebody listens, and a page's wishes go out as one", async () => {
  const { client, sent } = stage();
  client.stand({ game: "demo", env: "dev" });
  await Promise.resolve();
  expect(sent).toEqual([]);
  const leave = client.subscribe("jobs", () => undefined);
  leave();
  client.subscribe("calls", () => undefined);
  client.subscribe("health", () => undefined);
  await Promise.resolve();
  expect(sent).toMatchObject([{ kind: "want", scope: { game: "demo" }, topics: ["calls", "health"] }]);
});

test("who listens later in the same tab is told a job from its beginning, and the first nothing twice", async () => {
  const { client, sent, tell } = stage();
  const first: unknown[] = [];
  const second: unknown[] = [];
  client.subscribe("job:1", ({ data }) => first.push(data));
  await Promise.resolve();
  tell("job:1", { seq: 1 });
  client.subscribe("job:1", ({ data }) => second.push(data));
  await Promise.resolve();
  expect(sent.at(-1)).toMatchObject({ anew: ["job:1"] });
  tell("job:1", { seq: 1 });
  tell("job:1", { seq: 2 });
  expect(first).toEqual([{ seq: 1 }, { seq: 2 }]);
  expect(second).toEqual([{ seq: 1 }, { seq: 2 }]);
});

test("a ping is answered, and a hub that has forgotten the tab is told again", async () => {
  const { client, sent, receive } = stage();
  client.subscribe("health", () => undefined);
  await Promise.resolve();
  receive({ kind: "ping" });
  receive({ kind: "who" });
  await Promise.resolve();
  expect(sent.map(({ kind }) => kind)).toEqual(["want", "pong", "want"]);
});

test("the state is what the hub says last", async () => {
  const { client, receive } = stage();
  const seen: string[] = [];
  client.watch(() => seen.push(client.state.state));
  client.subscribe("health", () => undefined);
  await Promise.resolve();
  receive({ kind: "state", state: { state: "live", since: 1 } });
  receive({ kind: "state", state: { state: "offline", since: 2 } });
  expect(seen).toEqual(["live", "offline"]);
});
