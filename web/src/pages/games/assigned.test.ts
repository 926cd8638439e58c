import { expect, test } from "vitest";
import { admits, changeOf, idle, isPattern } from "./assigned";

const KNOWN = ["mail.send", "player.ban", "player.get"];

test("a star at the end admits everything that begins so, and no list admits everything", () => {
  expect(admits(["player.*"], "player.ban")).toBe(true);
  expect(admits(["player"], "player.ban")).toBe(false);
  expect(admits([], "player.ban")).toBe(false);
  expect(admits(null, "player.ban")).toBe(true);
});

test("a change names the functions that are lost and those that are won", () => {
  expect(changeOf(KNOWN, null, ["player.*"])).toEqual({ lost: ["mail.send"], won: [] });
  expect(changeOf(KNOWN, ["mail.*"], ["player.get"])).toEqual({ lost: ["mail.send"], won: ["player.get"] });
  expect(changeOf(KNOWN, ["mail.send"], null)).toEqual({ lost: [], won: ["player.ban", "player.get"] });
});

test("a pattern that admits nothing is told, and one with a star inside is none", () => {
  expect(idle(KNOWN, ["player.*", "players.*"])).toEqual(["players.*"]);
  expect(isPattern("player.*")).toBe(true);
  expect(isPattern("pl*er")).toBe(false);
  expect(isPattern("")).toBe(false);
});
