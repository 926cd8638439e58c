import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import type { ValueFault } from "#/forms";
import { LanguageProvider } from "#/i18n/texts";
import { checkForm, firstValue, SchemaForm, toJson } from ".";

interface Given {
  readonly schema: unknown;
  readonly ui?: unknown;
  readonly value?: unknown;
  readonly faults?: readonly ValueFault[];
  readonly readOnly?: boolean;
  readonly language?: "en" | "zh";
  readonly onSubmit?: (pruned: unknown) => void;
}

interface Kept {
  value: unknown;
  tell: (faults: readonly ValueFault[]) => void;
}

/** A form as a page has it. */
function Page({ given, kept }: { given: Given; kept: Kept }) {
  const { schema, ui, faults: first, readOnly, onSubmit } = given;
  const [value, setValue] = useState(kept.value);
  const [faults, setFaults] = useState(first ?? []);
  kept.value = value;
  kept.tell = setFaults;
  const more = { ...(readOnly && { readOnly }), ...(onSubmit && { onSubmit }) };
  return <SchemaForm {...more} schema={schema} ui={ui} value={value} onChange={setValue} faults={faults} />;
}

/** `now()` is the value that the form has come to. */
function show(given: Given) {
  const kept: Kept = { value: given.value ?? firstValue(given.schema, given.ui), tell: () => undefined };
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <LanguageProvider language={given.language ?? "en"}>
          <Page given={given} kept={kept} />
        </LanguageProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return {
    now: () => kept.value,
    tell: (faults: readonly ValueFault[]) => act(() => kept.tell(faults)),
    user: userEvent.setup(),
  };
}

/** For machines that do other things too. */
const PATIENT = { timeout: 15_000 };

const ban = {
  type: "object",
  required: ["player", "kind"],
  properties: {
    player: { type: "string", minLength: 3 },
    kind: { enum: ["mute", "ban"] },
    days: { type: "integer", minimum: 1, default: 7 },
    reason: { type: "string" },
  },
};
const banUi = {
  fields: {
    player: { label: { en: "Player", zh: "玩家" } },
    days: { show_if: "$.kind == 'mute'" },
    reason: { required_if: "$.kind == 'ban'", disabled_if: "$.player == 'gm'" },
  },
};

test("what is typed becomes the value, under names in the language of the page", async () => {
  const { now, user } = show({ schema: ban, ui: banUi, language: "zh" });
  await user.type(screen.getByLabelText("玩家"), "p42");
  expect(now()).toEqual({ days: 7, player: "p42" });
});

test("a field comes and goes, is required and disabled, as conditions have it while one types", async () => {
  const { user, now } = show({ schema: ban, ui: banUi });
  expect(screen.queryByLabelText("days")).toBeNull();
  await user.click(screen.getByLabelText("kind"));
  await user.click(screen.getByRole("option", { name: "mute" }));
  expect(screen.getByLabelText<HTMLInputElement>("days").value).toBe("7");
  await user.click(screen.getByLabelText("kind"));
  await user.click(screen.getByRole("option", { name: "ban" }));
  expect(screen.queryByLabelText("days")).toBeNull();
  expect(screen.getByLabelText("reason").getAttribute("aria-required")).toBe("true");
  await user.type(screen.getByLabelText("Player"), "gm");
  expect(screen.getByLabelText<HTMLInputElement>("reason").disabled).toBe(true);
  expect(checkForm(ban, banUi, now()).pruned).toEqual({ player: "gm", kind: "ban" });
});

test("what is wrong is said when the field is left, and not before", async () => {
  const { user } = show({ schema: ban });
  const player = screen.getByLabelText("player");
  await user.type(player, "p");
  expect(screen.queryByText("needs at least 3 characters")).toBeNull();
  await user.tab();
  expect(screen.getByText("needs at least 3 characters")).toBeDefined();
  await user.type(player, "42");
  expect(screen.queryByText("needs at least 3 characters")).toBeNull();
});

test("what the server says stands at its field, which is focused, until that is changed", async () => {
  const { user, tell } = show({ schema: ban });
  tell([{ path: "/reason", keyword: "pattern", message: { en: "no such ticket", zh: "无此工单" } }]);
  await screen.findByText("no such ticket");
  const reason = screen.getByLabelText("reason");
  await waitFor(() => expect(document.activeElement).toBe(reason));
  await user.type(reason, "x");
  expect(screen.queryByText("no such ticket")).toBeNull();
});

test("a whole number beyond 2^53 keeps every digit", async () => {
  const { now, user } = show({ schema: { type: "object", properties: { id: { type: "integer" } } } });
  await user.type(screen.getByLabelText("id"), "9007199254740993");
  expect(now()).toEqual({ id: 9007199254740993n });
  expect(toJson(now())).toBe('{"id":9007199254740993}');
});

test("what is no number stays as it was typed, as a fault", async () => {
  const schema = { type: "object", properties: { n: { type: "number" } } };
  const { now, user } = show({ schema });
  await user.type(screen.getByLabelText("n"), "1.2.3");
  await user.tab();
  expect(screen.getByText("must be a number")).toBeDefined();
  expect(checkForm(schema, null, now()).faults).toHaveLength(1);
});

test("left out, empty and null are three things", async () => {
  const schema = { type: "object", properties: { note: { type: ["string", "null"] } } };
  const { now, user } = show({ schema });
  expect(now()).toEqual({});
  await user.click(screen.getByRole("button", { name: "Send note as an empty text" }));
  expect(now()).toEqual({ note: "" });
  await user.click(screen.getByRole("button", { name: "Set note to null" }));
  expect(now()).toEqual({ note: null });
  await user.click(screen.getByRole("button", { name: "Leave out note" }));
  expect(now()).toEqual({});
});

test("objects in a list are rows of a table", async () => {
  const row = {
    type: "object",
    required: ["item"],
    properties: { item: { type: "string" }, count: { type: "integer" } },
  };
  const { now, user } = show({ schema: { type: "object", properties: { rows: { type: "array", items: row } } } });
  await user.click(screen.getByRole("button", { name: "Add a row: rows" }));
  await user.type(screen.getByLabelText("item, row 1"), "gem");
  await user.type(screen.getByLabelText("count, row 1"), "3");
  await user.click(screen.getByRole("button", { name: "Copy row 1" }));
  await user.click(screen.getByRole("button", { name: "Remove row 1" }));
  expect(now()).toEqual({ rows: [{ item: "gem", count: 3 }] });
});

test("a thousand rows are drawn in pages, and a fault on a later page is found", async () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => ({ n: index }));
  const schema = {
    type: "object",
    properties: { rows: { type: "array", items: { type: "object", properties: { n: { type: "integer" } } } } },
  };
  const { tell } = show({ schema, value: { rows } });
  expect(within(screen.getByRole("table")).getAllByRole("row")).toHaveLength(51);
  tell([{ path: "/rows/730/n", keyword: "maximum", message: { en: "too many", zh: "过多" } }]);
  const cell = await screen.findByLabelText("n, row 731", {}, PATIENT);
  await waitFor(() => expect(document.activeElement).toBe(cell));
});

test("an alternative is chosen by its kind, and keeps what both have", async () => {
  const schema = {
    type: "object",
    properties: {
      to: {
        oneOf: [
          {
            type: "object",
            title: "One player",
            required: ["kind", "id"],
            properties: { kind: { const: "player" }, id: { type: "string" }, note: { type: "string" } },
          },
          {
            type: "object",
            title: "A guild",
            required: ["kind", "guild"],
            properties: { kind: { const: "guild" }, guild: { type: "string" }, note: { type: "string" } },
          },
        ],
      },
    },
  };
  const { now, user } = show({ schema, value: { to: { kind: "player", id: "p1", note: "hi" } } });
  expect(screen.getByLabelText<HTMLInputElement>("id").value).toBe("p1");
  await user.selectOptions(screen.getByLabelText("Kind of to"), "A guild");
  expect(now()).toEqual({ to: { note: "hi", kind: "guild" } });
  await user.type(screen.getByLabelText("guild"), "g1");
  expect(now()).toEqual({ to: { note: "hi", kind: "guild", guild: "g1" } });
});

test("a tab tells how many of its fields are wrong, and Next goes to them", async () => {
  const schema = { type: "object", required: ["a", "b"], properties: { a: { type: "string" }, b: { type: "string" } } };
  const ui = {
    "ui:layout": { type: "tabs" },
    "ui:groups": [
      { title: "One", fields: ["a"] },
      { title: "Two", fields: ["b"] },
    ],
  };
  const submitted = vi.fn();
  const { user } = show({ schema, ui, onSubmit: submitted });
  await user.type(screen.getByLabelText("a"), "x");
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(submitted).not.toHaveBeenCalled();
  expect(screen.getByLabelText("1 fault")).toBeDefined();
  await waitFor(() => expect(screen.getByRole("tab", { name: /Two/ }).getAttribute("aria-selected")).toBe("true"));
  await user.type(screen.getByLabelText("b"), "y");
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(submitted).toHaveBeenCalledWith({ a: "x", b: "y" });
});

test("a sensitive field is typed unseen, and is not shown to be read", () => {
  const schema = { type: "object", properties: { token: { type: "string", writeOnly: true } } };
  show({ schema, value: { token: "hush" } });
  expect(screen.getByLabelText<HTMLInputElement>("token").type).toBe("password");
});

test("to be read, a form is its names and values", () => {
  show({
    schema: { ...ban, properties: { ...ban.properties, secret: { type: "string", format: "password" } } },
    ui: banUi,
    value: { player: "p1", kind: "ban", secret: "hush" },
    readOnly: true,
  });
  expect(screen.getByText("p1")).toBeDefined();
  expect(screen.queryByText("hush")).toBeNull();
  expect(screen.queryByRole("textbox")).toBeNull();
});

test("a form whose conditions cannot be read says so, and can be filled in", async () => {
  const { user, now } = show({ schema: ban, ui: { fields: { reason: { show_if: "$.kind = 'ban'" } } } });
  expect(screen.getByRole("alert").textContent).toContain("/fields/reason/show_if");
  await user.type(screen.getByLabelText("player"), "p42");
  expect(now()).toEqual({ days: 7, player: "p42" });
});

test.each([
  [null],
  ["text"],
  [{ type: 3, properties: [], required: "x", items: 7, oneOf: {}, enum: "no", allOf: [1] }],
  [{ $ref: "#/nowhere" }],
  [{ $ref: "#" }],
  [{ allOf: [{ $ref: "#" }] }],
  [
    {
      type: "object",
      properties: { a: { pattern: "(", type: "string" }, b: { $ref: "#/$defs/x" }, c: true, d: false },
    },
  ],
  [{ type: "array", items: { $ref: "#" } }],
  [{ oneOf: [true, false] }],
])("a schema of %j does not break the page", (schema) => {
  show({ schema, value: { a: "x" } });
  expect(screen.getByRole("group", { name: "Arguments" })).toBeDefined();
});

test("strings that mean harm are text", () => {
  const value = { note: `<img src=x onerror=alert(1)>${"\u202e"}` };
  show({ schema: { type: "object", properties: { note: { type: "string" } } }, value });
  expect(screen.getByLabelText<HTMLInputElement>("note").value).toBe(value.note);
  expect(document.querySelector("img")).toBeNull();
});

test("a form begins with its defaults, and with what must be there", () => {
  const schema = {
    type: "object",
    required: ["kind", "silent", "targets", "inner"],
    properties: {
      kind: { const: "mail" },
      silent: { type: "boolean" },
      targets: { type: "array", items: { type: "string" } },
      days: { type: "integer", default: 7 },
      note: { type: "string" },
      inner: { $ref: "#/$defs/inner" },
    },
    $defs: { inner: { type: "object", properties: { n: { default: 1 } } } },
  };
  expect(firstValue(schema, null)).toEqual({ kind: "mail", silent: false, targets: [], days: 7, inner: { n: 1 } });
});
