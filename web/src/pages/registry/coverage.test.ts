import { expect, test } from "vitest";
import { byPrefix, counted, placesOf, rowsOf, shownOf } from "./coverage";
import type { Registry } from "./queries";

const REGISTRY: Registry = {
  coverage: [
    {
      game_env: "demo|prod",
      functions: { "player.ban": { healthy: 1, total: 2 }, "player.get": { healthy: 2, total: 2 } },
      uncovered: ["mail.send"],
      partial: ["player.ban"],
    },
    { game_env: "demo|dev", functions: { "player.ban": { healthy: 0, total: 1 } }, uncovered: ["player.ban"] },
    { game_env: "demo2|dev", functions: { "player.get": { healthy: 1, total: 1 } } },
  ],
};

test("a function is a row over every place that knows it, and stands as its worst place does", () => {
  const rows = rowsOf(REGISTRY, "");
  expect(rows.map((row) => [row.id, row.standing])).toEqual([
    ["mail.send", "uncovered"],
    ["player.ban", "uncovered"],
    ["player.get", "covered"],
  ]);
  expect(rows[0]?.cells.get("demo|prod")).toEqual({ healthy: 0, total: 0 });
  expect(counted(rows)).toEqual({ uncovered: 2, partial: 0, covered: 1 });
});

test("a game is not another one whose name begins alike", () => {
  expect(placesOf(REGISTRY, "demo")).toEqual(["demo|dev", "demo|prod"]);
  expect(placesOf(REGISTRY, "demo|prod")).toEqual(["demo|prod"]);
  expect(rowsOf(REGISTRY, "demo2").map((row) => row.id)).toEqual(["player.get"]);
});

test("only what is partly covered somewhere is left, of one prefix", () => {
  const rows = rowsOf(REGISTRY, "");
  expect(shownOf(rows, "partial", "").map((row) => row.id)).toEqual(["player.ban"]);
  expect(shownOf(rows, "uncovered", "mail").map((row) => row.id)).toEqual(["mail.send"]);
});

test("a prefix counts its functions that are fully covered in each place", () => {
  const [, player] = byPrefix(rowsOf(REGISTRY, "demo"));
  expect(player).toMatchObject({ id: "player", functions: 2, standing: "uncovered" });
  expect(player?.cells.get("demo|prod")).toEqual({ healthy: 1, total: 2 });
});
