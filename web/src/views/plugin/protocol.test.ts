import { expect, test } from "vitest";
import { readFrameMessage } from "./protocol";

test("a frame may say that it is ready, how high it is, and what went wrong", () => {
  expect(readFrameMessage({ croupier: 1, type: "ready" })).toEqual({ type: "ready" });
  expect(readFrameMessage({ croupier: 1, type: "height", height: 120.2 })).toEqual({ type: "height", height: 121 });
  expect(readFrameMessage({ croupier: 1, type: "error", message: "no" })).toEqual({ type: "error", message: "no" });
});

test("a frame can be neither endless nor gone, and says nothing at length", () => {
  expect(readFrameMessage({ croupier: 1, type: "height", height: 1e9 })).toEqual({ type: "height", height: 4_000 });
  expect(readFrameMessage({ croupier: 1, type: "height", height: -5 })).toEqual({ type: "height", height: 24 });
  const told = readFrameMessage({ croupier: 1, type: "error", message: "x".repeat(10_000) });
  expect(told).toMatchObject({ message: "x".repeat(2_000) });
});

test.each([
  null,
  1,
  "ready",
  [],
  { type: "ready" },
  { croupier: 2, type: "ready" },
  { croupier: 1, type: "open" },
  { croupier: 1, type: "height", height: Number.NaN },
])("%j is no message", (data) => {
  expect(readFrameMessage(data)).toBeNull();
});
