import { expect, test } from "vitest";
import { readMoment, writtenMoment } from "./moments";
import { readNumber, stepped } from "./numbers";
import { ABSENT } from "./place";

test.each([
  ["42", 42],
  [" -7 ", -7],
  ["+3", 3],
  ["-0", 0],
  ["1.50", 1.5],
  [".5", 0.5],
  ["1e3", 1000],
  ["9007199254740993", 9007199254740993n],
  ["0.1234567890123456789", "0.1234567890123456789"],
  ["1e999", "1e999"],
  ["0x10", "0x10"],
  ["1,5", "1,5"],
  ["-", "-"],
])("%s typed is %s", (typed, value) => {
  expect(readNumber(typed, false)).toBe(value);
});

test("digits that are kept as a text stay one", () => {
  expect(readNumber("9007199254740993", true)).toBe("9007199254740993");
});

test("a step stays within the limits, and counts exactly", () => {
  expect(stepped(0.1, 1, { multipleOf: 0.2 })).toBe("0.3");
  expect(stepped(10, 1, { maximum: 10 })).toBe("10");
  expect(stepped(ABSENT, 1, { minimum: 5 })).toBe("5");
  expect(stepped(9007199254740993n, 1, {})).toBe("9007199254740994");
  expect(stepped("many", 1, {})).toBeNull();
});

test.each([
  ["2026-1-31 8:30", "2026-01-31T08:30:00+08:00"],
  ["2026/01/31 08:30:15.250", "2026-01-31T08:30:15.250+08:00"],
  ["2026-01-31T08:30:15Z", "2026-01-31T08:30:15Z"],
  ["2026-01-31 08:30:15 -05:00", "2026-01-31T08:30:15-05:00"],
  ["2026-01-31", "2026-01-31T00:00:00+08:00"],
  ["2026-02-30 08:00", null],
  ["2026-01-31 25:00", null],
  ["soon", null],
])("%s typed at UTC+8 is the moment %s", (typed, written) => {
  expect(writtenMoment(typed, "+08:00", "date-time")).toBe(written);
});

test("a date has no zone, a time has one", () => {
  expect(writtenMoment("2026-1-5", "+08:00", "date")).toBe("2026-01-05");
  expect(writtenMoment("8:05", "+08:00", "time")).toBe("08:05:00+08:00");
  expect(readMoment("08:05:00z", "time")).toEqual({ shown: "08:05:00", date: "", zone: "Z" });
  expect(readMoment("2026-01-31T08:00:00", "date-time")).toBeNull();
});
