import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { checkForm, FormEditor, Unreadable } from ".";

const schema = { type: "object", properties: { id: { type: "integer" }, zone: { type: "string" } } };
const kept: { value: unknown } = { value: {} };

function Page({ ui }: { ui?: unknown }) {
  const [value, setValue] = useState(kept.value);
  kept.value = value;
  return <FormEditor schema={schema} ui={ui} value={value} onChange={setValue} />;
}

function show(value: unknown, ui?: unknown) {
  kept.value = value;
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <Page ui={ui} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return userEvent.setup();
}

afterEach(() => vi.unstubAllGlobals());

const PATIENT = { timeout: 15_000 };

test("Alt+J shows the JSON of the form, with every digit, and goes back", async () => {
  const user = show({ id: 9007199254740993n });
  fireEvent.keyDown(screen.getByLabelText("id"), { altKey: true, code: "KeyJ", key: "j" });
  const editor = await screen.findByLabelText("Arguments as JSON", {}, PATIENT);
  expect(editor.textContent).toContain('"id": 9007199254740993');
  await user.click(screen.getByText("Form"));
  expect(screen.getByLabelText<HTMLInputElement>("id").value).toBe("9007199254740993");
});

test("text that is no JSON is kept, is a fault, and can be given up", async () => {
  const user = show(new Unreadable('{"id": '));
  expect(checkForm(schema, null, kept.value).faults).toHaveLength(1);
  expect(screen.getByRole("alert").textContent).toContain("cannot be read as JSON");
  await user.click(screen.getByRole("button", { name: "Use the last readable value" }));
  expect(kept.value).toEqual({});
  expect(screen.getByLabelText("id")).toBeDefined();
});

test("choices come from another function, and the value is typed where that does not answer", async () => {
  const asked: unknown[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(await request.json());
    return Response.json({ zones: [{ id: "z1", name: "North" }, { id: "z2", name: "South" }] }); // biome-ignore format: short
  });
  const from = { function: "zone.list", arguments: { world: "$.id" }, items: "$.zones", value: "id", label: "name" };
  const user = show({ id: 3 }, { fields: { zone: { options_from: from } } });
  await waitFor(() => expect(screen.getByLabelText("zone").getAttribute("placeholder")).toBe("not set"), PATIENT);
  await user.click(screen.getByLabelText("zone"));
  await user.click(await screen.findByRole("option", { name: "South (z2)" }, PATIENT));
  expect(kept.value).toEqual({ id: 3, zone: "z2" });
  expect(asked).toEqual([{ function_id: "zone.list", payload: { world: 3 } }]);
});

test("where choices cannot be had, the value is typed", async () => {
  vi.stubGlobal("fetch", async () =>
    Response.json({ detail: "no agent available", reason: "unavailable" }, { status: 400 }),
  );
  const user = show({}, { fields: { zone: { options_from: "zone.list" } } });
  await screen.findByText(/no agent available/, {}, PATIENT);
  await user.type(screen.getByLabelText("zone"), "z9");
  expect(kept.value).toEqual({ zone: "z9" });
});
