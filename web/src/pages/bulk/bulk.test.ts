import { expect, test } from "vitest";
import { columnsOf, template } from "./columns";
import { formatOf, shortest } from "./queries";

test("a file is what its name says, else what it begins with", () => {
  expect(formatOf("players.csv", "{")).toBe("csv");
  expect(formatOf("players.ndjson", "id")).toBe("jsonl");
  expect(formatOf("", ' {"id": 1}')).toBe("jsonl");
  expect(formatOf("", "player_id,reason")).toBe("csv");
});

test("columns are the arguments, and the fields of objects by their path", () => {
  const schema = {
    required: ["player_id", "item"],
    properties: {
      player_id: { type: "string" },
      item: { required: ["id"], properties: { id: { type: "integer" }, kind: { enum: ["a", "b"] } } },
      note: { type: ["string", "null"] },
    },
  };
  expect(columnsOf(schema)).toEqual([
    { name: "player_id", required: true, type: "string" },
    { name: "item.id", required: true, type: "integer" },
    { name: "item.kind", required: false, type: "a | b" },
    { name: "note", required: false, type: "string | null" },
  ]);
  expect(template(columnsOf(schema))).toBe("\uFEFFplayer_id,item.id,item.kind,note\r\n");
});

test.each([null, [], "x", { properties: [] }, {}])("a schema like %j has no columns", (schema) => {
  expect(columnsOf(schema)).toEqual([]);
});

test("a rate says how long it takes at least", () => {
  expect(shortest(1_000, 50)).toBe(20_000);
  expect(shortest(10, 0)).toBe(0);
});
