import { expect, test } from "vitest";
import { columnsOf, template } from "./columns";
import { formatOf, shortest, waits } from "./queries";
import { failureOf, faultOf } from "./said";

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

test("a draft that somebody has to agree to waits, and one that was started does not", () => {
  expect(waits({ state: "ready", approval_id: "a1" })).toBe(true);
  expect(waits({ state: "invalid", approval_id: "a1" })).toBe(true);
  expect(waits({ state: "ready", approval_id: "" })).toBe(false);
  expect(waits({ state: "running", approval_id: "a1" })).toBe(false);
});

test("a row says in the language of the page why it does not fit, and in English what an earlier server kept", () => {
  expect(faultOf({ path: "/coins", message: "must be at least 0", zh: "不能小于 0" }, "zh")).toBe("不能小于 0");
  expect(faultOf({ path: "", message: "not JSON" }, "zh")).toBe("not JSON");
});

test("a row says in the language of the page why it failed, and a game's own words as they are", () => {
  const away = {
    reason: "unavailable",
    message: "no agent",
    parameters: { function: "f", scope: "d|p", agents: "a1" },
  };
  expect(failureOf({ ...away, code: "agents_away" }, "zh")).toContain("a1 提供过它但当前未连接");
  const said = { reason: "function_rejected", message: "in a match", code: null, parameters: {} };
  expect(failureOf(said, "zh")).toBe("函数拒绝了请求: in a match");
});
