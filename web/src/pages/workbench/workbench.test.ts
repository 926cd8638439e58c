import { expect, test } from "vitest";
import { ProblemError, Unreachable } from "#/api/problem";
import type { FunctionEntry, FunctionSheet } from "#/functions/functions";
import { type Explained, needsConfirmation, outlookOf } from "./gate";
import { listRows } from "./listRows";
import { outcomeOf } from "./result/outcome";
import { undoOf } from "./result/undo";
import { missingOf, routeFields } from "./routing";
import type { Run } from "./runs";
import { bodyOf, newKey, type Wish } from "./sending";
import { asksSecrets } from "./sheet";

function entry(id: string, fields: Partial<FunctionEntry> = {}): FunctionEntry {
  return {
    id,
    version: "",
    display_name: {},
    summary: {},
    category: "",
    tags: [],
    risk: "low",
    mode: "command",
    returns: "",
    enabled: true,
    healthy: 1,
    total: 1,
    may: true,
    ...fields,
  };
}

const WANTED = {
  search: "",
  favourites: [] as string[],
  recent: [] as string[],
  language: "en" as const,
  labels: { favourites: "Favourites", recent: "Recent", other: "Other" },
  category: (name: string) => name.toUpperCase(),
};

function shown(
  entries: FunctionEntry[],
  wanted: Partial<typeof WANTED> & { favourites?: string[]; recent?: string[] } = {},
) {
  return listRows(entries, { ...WANTED, ...wanted }).map((row) =>
    row.kind === "group" ? `# ${row.label}` : row.entry.id,
  );
}

test("functions stand in their category, else in that of their id's first part, the rest last", () => {
  const entries = [entry("z"), entry("mail.send"), entry("ban", { category: "player" }), entry("mail.recall")];
  expect(shown(entries)).toEqual(["# MAIL", "mail.recall", "mail.send", "# PLAYER", "ban", "# Other", "z"]);
});

test("favourites come first, and a search finds in both languages", () => {
  const entries = [entry("a.x", { display_name: { en: "Ban", zh: "封禁" } }), entry("a.y")];
  expect(shown(entries, { favourites: ["a.y", "gone"] })).toEqual(["# Favourites", "a.y", "# A", "a.y", "a.x"]);
  expect(shown(entries, { search: "封" })).toEqual(["# A", "a.x"]);
  expect(shown(entries, { search: "nothing" })).toEqual([]);
});

test("a list of ten thousand functions is arranged at once", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => entry(`g${at % 2}.f${at}`));
  expect(listRows(many, WANTED)).toHaveLength(10_002);
});

const WISH: Wish = {
  functionId: "player.ban",
  game: "三国",
  env: "prod",
  kind: "invoke",
  payload: { id: 12345678901234567890n },
  route: { route: "lb", target: "s1", hash: "k" },
  dryRun: false,
  dryRunParameter: "",
  reason: "",
  ticket: "",
  breakGlass: false,
};

test("every digit of a number is sent", () => {
  expect(bodyOf(WISH)).toContain('"payload":{"id":12345678901234567890}');
});

test("a dry run is told in the metadata, and in the argument that the description names", () => {
  const sent = JSON.parse(bodyOf({ ...WISH, payload: { a: 1 }, dryRun: true, dryRunParameter: "try" }));
  expect(sent).toMatchObject({ payload: { a: 1, try: true }, metadata: { dry_run: "true" } });
});

test("only what belongs to the chosen route is sent", () => {
  expect(routeFields({ route: "targeted", target: "s1", hash: "k" })).toEqual({
    route: "targeted",
    target_service_id: "s1",
  });
  expect(routeFields({ route: "lb", target: "s1", hash: "k" })).toEqual({ route: "lb" });
  expect(missingOf({ route: "targeted", target: "", hash: "" })).toBe("target");
});

test("no two presses have the same key", () => {
  expect(new Set(Array.from({ length: 1_000 }, newKey)).size).toBe(1_000);
});

test.each([
  [{ properties: { password: { type: "string" } } }, {}, true],
  [{ properties: { a: { properties: { b: { type: "string", writeOnly: true } } } } }, {}, true],
  [{ properties: { list: { items: { properties: { api_key: {} } } } } }, {}, true],
  [{ properties: { a: {} } }, { fields: { a: { sensitive: true } } }, true],
  [{ properties: { player_id: { type: "string" } } }, { fields: { player_id: { label: "x" } } }, false],
])("whether a form asks for secrets: %j %j", (schema, ui, asks) => {
  expect(asksSecrets(schema, ui)).toBe(asks);
});

const EXPLAINED: Explained = {
  allowed: true,
  who: "ann",
  roles: [],
  decided_by: "permission",
  reason: "",
  gates: [],
  approval: {
    needed: false,
    why: [],
    causes: [],
    stages: [],
    reason: false,
    ticket: false,
    proof: false,
    expires: null,
  },
  affects: null,
};

test("a gate that refuses stops the call, but what does not fit the schema is told beside its field", () => {
  const gate = (name: string, verdict: string) => ({
    gate: name,
    verdict,
    detail: "",
    code: null,
    parameters: {},
    rule: "",
    left: null,
    retry_after: 0,
  });
  expect(outlookOf({ ...EXPLAINED, gates: [gate("schema", "deny")] }).tone).toBe("go");
  expect(outlookOf({ ...EXPLAINED, gates: [gate("schema", "deny"), gate("rate", "wait")] }).stop?.gate).toBe("rate");
});

test("approvals are counted over all stages", () => {
  const stages = [
    { approvers: [], threshold: 2 },
    { approvers: ["group:leads"], threshold: 1 },
  ];
  const outlook = outlookOf({ ...EXPLAINED, approval: { ...EXPLAINED.approval, needed: true, stages } });
  expect([outlook.tone, outlook.approvals]).toEqual(["ask", 3]);
});

test("what can do harm and nobody else looks at is asked once more", () => {
  const wish = { risk: "high", broadcast: false, isQuery: false, dryRun: false, approvals: 0, production: false };
  expect(needsConfirmation(wish)).toBe(true);
  expect(needsConfirmation({ ...wish, dryRun: true })).toBe(false);
  expect(needsConfirmation({ ...wish, approvals: 1 })).toBe(false);
  expect(needsConfirmation({ ...wish, risk: "low", broadcast: true })).toBe(true);
  expect(needsConfirmation({ ...wish, risk: "low", broadcast: true, isQuery: true })).toBe(false);
  expect(needsConfirmation({ ...wish, risk: "medium" })).toBe(false);
  expect(needsConfirmation({ ...wish, risk: "medium", production: true })).toBe(true);
  expect(needsConfirmation({ ...wish, risk: "low", production: true })).toBe(false);
});

test("a lost connection is no failure: nobody knows", () => {
  const run: Run = {
    key: "k",
    wish: WISH,
    begun: 0,
    ended: 1,
    state: "failed",
    answer: null,
    facts: null,
    error: null,
  };
  const refused = (reason: string) =>
    new ProblemError({ type: "", title: "", status: 500, detail: "", reason } as ProblemError["problem"]);
  expect(outcomeOf({ ...run, error: new Unreachable("x") })).toBe("unknown");
  expect(outcomeOf({ ...run, error: refused("outcome_unknown") })).toBe("unknown");
  expect(outcomeOf({ ...run, error: refused("permission_denied") })).toBe("refused");
  expect(outcomeOf({ ...run, error: refused("function_rejected") })).toBe("failed");
});

test("the call that undoes another is filled in from its arguments", () => {
  const descriptor = { inverse: { function: "player.unban", arguments: { player_id: "$.player_id" } } };
  const sheet = { function: entry("player.ban"), descriptor } as unknown as FunctionSheet;
  expect(undoOf(sheet, { player_id: "p1", days: 3 })).toEqual({
    functionId: "player.unban",
    args: { player_id: "p1" },
  });
  expect(undoOf({ ...sheet, descriptor: {} } as unknown as FunctionSheet, {})).toBeNull();
});
