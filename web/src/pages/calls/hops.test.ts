import { expect, test } from "vitest";
import { hopsOf } from "./Hops";
import { sinceOf } from "./queries";

test("the parts of a call's time add up to the whole", () => {
  const hops = hopsOf({ server_us: 10_000, recorded_us: 2_000, agent_us: 6_000, handler_us: 5_000 });
  expect(hops.map(({ name, us }) => [name, us])).toEqual([
    ["recorded", 2_000],
    ["server", 2_000],
    ["agent", 1_000],
    ["handler", 5_000],
  ]);
});

test("clocks that contradict each other make no negative time", () => {
  expect(hopsOf({ server_us: 1_000, recorded_us: 0, agent_us: 2_000, handler_us: 3_000 })).toEqual([
    { name: "handler", us: 3_000 },
  ]);
  expect(hopsOf({ server_us: 0, recorded_us: 0, agent_us: 0, handler_us: 0 })).toEqual([]);
});

test("a span begins before now", () => {
  expect(sinceOf("1h", 7_200_000)).toEqual({ since: "3600000" });
  expect(sinceOf(undefined)).toEqual({});
});
