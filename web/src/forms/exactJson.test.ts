import { expect, test } from "vitest";
import { parseJson, toJson, Unreadable } from "./exactJson";

test.each([
  ['{"id":9007199254740993}', { id: 9007199254740993n }],
  ["-18446744073709551615", -18446744073709551615n],
  ['[9007199254740991,"9007199254740993",1.5e3]', [9007199254740991, "9007199254740993", 1500]],
  ['{"a\\"9007199254740993":"\\ue000123"}', { 'a"9007199254740993': "\ue000123" }],
  ['["\\ue0009007199254740993",9007199254740993]', ["\ue0009007199254740993", 9007199254740993n]],
  ["1000000000000000000", 1000000000000000000n],
])("%s is read with every digit", (text, value) => {
  expect(parseJson(text)).toEqual(value);
});

test.each(["{", "1e999", "[01]", ""])("%s is no JSON that could be sent", (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

test("what was read is written as it was", () => {
  const text = '{"id":9007199254740993,"ids":[1,-9007199254740995],"s":"\\u00010","t":"\\u00011"}';
  expect(toJson(parseJson(text))).toBe(text);
  expect(toJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}');
  expect(toJson(undefined)).toBe("null");
});

test("what cannot be read is written as it was typed, so that nobody takes it for JSON", () => {
  expect(toJson({ a: new Unreadable("{oops"), b: 2 })).toBe('{"a":{oops,"b":2}');
});
