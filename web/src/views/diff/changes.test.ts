import { expect, test } from "vitest";
import { changes, changesOf } from "./changes";

test("differences are told by path", () => {
  const before = { status: "active", ban_until: null, tags: ["new"], "odd name": 1, gone: true };
  const after = { status: "banned", ban_until: "2026-12-31", tags: ["new", "cheater"], "odd name": 2 };
  expect(changes(before, after)).toEqual([
    { path: "$.status", kind: "changed", before: "active", after: "banned" },
    { path: "$.ban_until", kind: "changed", before: null, after: "2026-12-31" },
    { path: "$.tags[1]", kind: "added", after: "cheater" },
    { path: '$["odd name"]', kind: "changed", before: 1, after: 2 },
    { path: "$.gone", kind: "removed", before: true },
  ]);
});

test("null and absent differ, an object and a list too, and a value is itself", () => {
  expect(changes({ a: null }, {})).toHaveLength(1);
  expect(changes([], {})).toHaveLength(1);
  expect(changes({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual([]);
});

test("a million differences are told as a thousand", () => {
  expect(changes({}, Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i])))).toHaveLength(1_000);
});

test("a function may tell its changes in words of its own", () => {
  expect(changesOf({ before: { a: 1 }, after: { a: 2 } })).toHaveLength(1);
  expect(changesOf([{ path: "$.a", old: 1, new: 2 }])).toEqual([{ path: "$.a", kind: "changed", before: 1, after: 2 }]);
  expect(changesOf([{ a: 1 }, { a: 2 }])).toEqual([{ path: "$.a", kind: "changed", before: 1, after: 2 }]);
  expect(changesOf("text")).toBeNull();
});

test("members named like what objects have by nature are members", () => {
  expect(changes(JSON.parse('{"__proto__": 1}'), {})).toEqual([{ path: "$.__proto__", kind: "removed", before: 1 }]);
});
