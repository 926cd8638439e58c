import { expect, test } from "vitest";
import { ownPath } from "./LoginPage";

test.each([
  ["/calls/c1?game=demo#row", "/calls/c1?game=demo#row"],
  ["//evil.example/x", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["/login?return_to=/login", "/"],
  ["", "/"],
  [undefined, "/"],
])("after signing in, %s leads to %s", (wanted, led) => {
  expect(ownPath(wanted)).toBe(led);
});
