import { expect, test } from "vitest";
import type { FunctionEntry } from "#/functions/functions";
import { functionsFound, kindsOfId } from "./findings";

function entry(id: string, en: string, zh: string): FunctionEntry {
  return {
    id,
    version: "",
    display_name: { en, zh },
    summary: {},
    category: "",
    tags: [],
    risk: "low",
    mode: "query",
    returns: "",
    enabled: true,
    healthy: 1,
    total: 1,
    may: true,
  };
}

const ENTRIES = [
  entry("mail.recall", "Recall a ban mail", "撤回邮件"),
  entry("player.ban", "Ban a player", "封禁玩家"),
];

test("a function is found by its id and its names in both languages, and what begins so comes first", () => {
  expect(functionsFound(ENTRIES, "ban", "en").map(({ id }) => id)).toEqual(["player.ban", "mail.recall"]);
  expect(functionsFound(ENTRIES, "封禁", "en").map(({ id }) => id)).toEqual(["player.ban"]);
  expect(functionsFound(ENTRIES, "player ban", "zh").map(({ id }) => id)).toEqual(["player.ban"]);
  expect(functionsFound(ENTRIES, "", "zh")).toHaveLength(2);
});

test("an id says what it may be the id of", () => {
  expect(kindsOfId("c01KC7M2J3RW0V5P9F4N8D")).toMatchObject({ call: true, job: false });
  expect(kindsOfId("p0001")).toEqual({ call: false, job: false, object: true });
  expect(kindsOfId("ban a player")).toEqual({ call: false, job: false, object: false });
});
