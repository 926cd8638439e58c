import { expect, test } from "vitest";
import { NOTHING as BEGIN, lineOf, told } from "./story";

test("a job's story is its last state, progress and words", () => {
  const events = [
    ["state", { state: "running", progress: 10 }],
    ["progress", { state: "running", progress: 40, message: "batch 4" }],
    ["log", { message: "line" }],
    ["progress", { progress: 60, message: "" }],
  ] as const;
  const story = events.reduce((now, [type, event]) => told(now, type, event), BEGIN);
  expect(story).toEqual({ ...BEGIN, state: "running", progress: 60, doing: "batch 4" });
});

test("the end says how", () => {
  expect(told(BEGIN, "done", {}).state).toBe("succeeded");
  const done = told(BEGIN, "done", { state: "succeeded", payload: { sent: 3 } });
  expect([done.state, done.progress, done.payload]).toEqual(["succeeded", 100, { sent: 3 }]);
  expect(told(done, "reset", {})).toEqual(done);
  expect(told(BEGIN, "denied", { detail: "needs jobs:read" }).denied).toBe("needs jobs:read");
  expect(told(BEGIN, "error", { message: "no", reason: "canceled", state: "canceled" })).toMatchObject({
    state: "canceled",
    error: "no",
    reason: "canceled",
  });
});

test("log lines and the error are lines, progress is none", () => {
  expect(lineOf("log", { message: "a", time_ms: 5 })).toEqual({ text: "a", at: 5 });
  expect(lineOf("error", { message: "a" })).toEqual({ text: "a", level: "error" });
  expect(lineOf("progress", { message: "a" })).toBeNull();
});
