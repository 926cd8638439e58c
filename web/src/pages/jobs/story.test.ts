import { expect, test } from "vitest";
import { lineOf, told } from "./story";

const BEGIN = { state: "", progress: 0, doing: "", error: "", reason: "" };

test("a job's story is its last state, progress and words", () => {
  const events = [
    ["state", { state: "running", progress: 10 }],
    ["progress", { state: "running", progress: 40, message: "batch 4" }],
    ["log", { message: "line" }],
    ["progress", { progress: 60, message: "" }],
  ] as const;
  const story = events.reduce((now, [type, event]) => told(now, type, event), BEGIN);
  expect(story).toEqual({ state: "running", progress: 60, doing: "batch 4", error: "", reason: "" });
});

test("the end says how", () => {
  expect(told(BEGIN, "done", {}).state).toBe("succeeded");
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
