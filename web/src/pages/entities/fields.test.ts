import { expect, test } from "vitest";
import { columnsOf, readable, titleOf } from "./fields";
import type { Entity } from "./queries";

const PLAYER = {
  type: "player",
  key: "player_id",
  ui: {
    columns: ["player_id", { key: "name", label: { en: "Nickname", zh: "昵称" } }, "last_login", "guild", "toString"],
    fields: { player_id: { label: { en: "Player", zh: "玩家" } } },
  },
  schema: {
    $defs: { guild: { title: "Guild" } },
    properties: { player_id: {}, name: { title: "Name" }, last_login: {}, guild: { $ref: "#/$defs/guild" }, coins: {} },
  },
} as unknown as Entity;

function heads(entity: Entity, language: "en" | "zh"): readonly string[] {
  return columnsOf(entity, []).map((field) => titleOf(entity, field, language));
}

test("columns are those of the entity, else of its schema, else of the rows", () => {
  const names = (entity: Entity, rows: readonly Record<string, unknown>[]) =>
    columnsOf(entity, rows).map(({ key }) => key);
  expect(names(PLAYER, [])).toEqual(["player_id", "name", "last_login", "guild", "toString"]);
  expect(names({ ...PLAYER, ui: {} }, [{ name: "", coins: 1 }])).toEqual(["name", "coins"]);
  expect(names({ ...PLAYER, ui: {}, schema: null }, [{ a: 1 }, { b: 1 }])).toEqual(["a", "b"]);
});

test("a column is called what its entity calls it, in the language of the page", () => {
  expect(heads(PLAYER, "zh")).toEqual(["玩家", "昵称", "Last login", "Guild", "To string"]);
  expect(heads(PLAYER, "en")).toEqual(["Player", "Nickname", "Last login", "Guild", "To string"]);
});

test.each([
  ["player_id", "Player ID"],
  ["lastLogin", "Last login"],
  ["LastLogin", "Last login"],
  ["GMLevel", "GMLevel"],
  ["gm_level", "Gm level"],
  ["玩家", "玩家"],
  ["a.b", "a.b"],
  ["", ""],
])("%s is read as %s", (key, title) => {
  expect(readable(key)).toBe(title);
});
