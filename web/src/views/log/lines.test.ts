import { expect, test } from "vitest";
import { asText, found, levelOf, linesOf } from "./lines";
import { grown } from "./useLogBuffer";

test.each([
  ["ERROR could not write", "error"],
  ["[error] no", "error"],
  ["2026-01-01 12:00 WARN slow", "warn"],
  ["warning: disk", "warn"],
  ["debug: x", "debug"],
  ["processed batch 1 without errors", "info"],
])("%s is of level %s", (text, level) => {
  expect(levelOf({ text })).toBe(level);
});

test("lines come as text, as texts, as objects", () => {
  expect(linesOf("a\nb")).toEqual([{ text: "a" }, { text: "b" }]);
  expect(linesOf([{ ts: 1_700_000_000, severity: "WARNING", msg: "slow" }, { a: 1 }, 5])).toEqual([
    { text: "slow", at: 1_700_000_000_000, level: "warn" },
    { text: '{"a":1}' },
    { text: "5" },
  ]);
  expect(linesOf({ lines: ["x"] })).toEqual([{ text: "x" }]);
});

test("the search finds by place, of the level asked for and above", () => {
  const lines = [{ text: "info a" }, { text: "ERROR a" }, { text: "WARN b" }];
  expect(found(lines, "", "debug")).toBeNull();
  expect(found(lines, "A", "warn")).toEqual([1, 2]);
  expect(found(lines, "error", "warn")).toEqual([1]);
});

test("a log keeps so many lines, and says how many went", () => {
  const lines = Array.from({ length: 105 }, (_, i) => ({ text: String(i) }));
  const { lines: kept, dropped } = grown({ lines: [], dropped: 0 }, lines, 100);
  expect([kept.length, dropped, kept[0]?.text]).toEqual([90, 15, "15"]);
});

test("what is saved has whole times", () => {
  expect(asText([{ text: "a", at: 0 }, { text: "b" }])).toBe("1970-01-01T00:00:00.000Z a\nb");
});
