import { expect, test } from "vitest";
import type { Entity } from "./queries";
import { at, idOf, itemsOf, needsOnly, withId } from "./things";

const PLAYER = {
  type: "player",
  key: "player_id",
  ui: { columns: ["player_id", "name"], pagination: { items: "$.players" } },
  schema: { properties: { player_id: {}, name: {}, coins: {} } },
} as unknown as Entity;

test("an id goes where its key says, and what is beside it stays", () => {
  expect(withId({ reason: "" }, "player_id", "p1", {})).toEqual({ reason: "", player_id: "p1" });
  expect(withId({ target: { kind: "x" } }, "$.target.player_id", "p1", {})).toEqual({
    target: { kind: "x", player_id: "p1" },
  });
  expect(withId({}, "$['player id']", "p1", {})).toEqual({ "player id": "p1" });
});

test("an id is a number where the schema asks for one, and a list where it asks for a list", () => {
  const schema = {
    properties: { id: { type: "integer" }, ids: { type: "array", items: { type: "string" } } },
  };
  expect(withId({}, "id", "17", schema)).toEqual({ id: 17 });
  expect(withId({}, "id", "p17", schema)).toEqual({ id: "p17" });
  expect(withId({}, "$.ids[0]", "17", schema)).toEqual({ ids: ["17"] });
});

test("rows are found where the entity says, or where they obviously are", () => {
  const rows = [{ player_id: "p1" }];
  expect(itemsOf({ others: [{}], players: rows }, PLAYER)).toEqual(rows);
  expect(itemsOf(rows, PLAYER)).toEqual(rows);
  expect(itemsOf({ total: 1, found: rows }, PLAYER)).toEqual(rows);
  expect(itemsOf("nothing", PLAYER)).toEqual([]);
});

test("a row's id is its key, whatever it is called, and never what an object inherits", () => {
  expect(idOf({ player_id: 7 }, PLAYER)).toBe("7");
  expect(idOf({ id: "x" }, PLAYER)).toBe("x");
  expect(idOf({ name: "Ann" }, PLAYER)).toBe("");
  expect(at({}, "constructor")).toBeUndefined();
});

test("a function that wants more than the id is not asked by itself", () => {
  expect(needsOnly({ required: ["player_id"] }, "$.player_id")).toBe(true);
  expect(needsOnly({ required: ["player_id", "day"] }, "player_id")).toBe(false);
});
