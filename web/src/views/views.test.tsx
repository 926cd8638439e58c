import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { FieldNames } from "./FieldNames";
import { asJson, formatted, member, safeAddress } from "./format";
import { outputsOf, Views } from "./index";
import { canonicalRenderer } from "./renderers";
import { imageSource } from "./small";

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(480);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
});

/** What the page around an answer calls fields. */
const NAMES: Readonly<Record<string, string>> = { coins: "Coins", nick: "Nickname" };

function show(outputs: unknown, value: unknown, plugins: readonly unknown[] = []) {
  const queries = new QueryClient();
  queries.setQueryData(["plugins"], { plugins });
  return render(
    <MantineProvider>
      <QueryClientProvider client={queries}>
        <FieldNames nameOf={(key) => NAMES[key] ?? key}>
          <Views outputs={outputsOf({ outputs })} value={value} label="player.list" />
        </FieldNames>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

const tabs = () => screen.getAllByRole("tab").map((tab) => tab.textContent);

test("views are tabs in their order, JSON always the last", () => {
  show(
    {
      layout: { type: "tabs" },
      views: [
        {
          id: "table",
          renderer: "table.basic",
          title: { en: "Players", zh: "玩家" },
          transform: { expr: "$.players" },
        },
        { id: "total", renderer: "number.view", title: { en: "In total" }, transform: { expr: "$.total" } },
        { id: "json", renderer: "json.view", title: { en: "Answer" } },
      ],
    },
    { players: [{ id: "p1", level: 3 }], total: 1 },
  );
  expect(tabs()).toEqual(["Players", "In total", "JSON"]);
  expect(screen.getByRole("gridcell", { name: "p1" })).toBeTruthy();
});

test("a view whose condition does not hold is left out", () => {
  const views = [
    { id: "a", renderer: "text.view", show_if: "$.kind == 'a'" },
    { id: "b", renderer: "text.view", show_if: "$.kind == 'b'" },
  ];
  show({ views }, { kind: "b" });
  expect(tabs()).toEqual(["b", "JSON"]);
});

test("a function without views shows its answer as JSON", () => {
  show(undefined, { player_id: "p1" });
  expect(screen.queryByRole("tab")).toBeNull();
  expect(screen.getByText("player_id")).toBeTruthy();
});

test("a view described wrongly says so in its place, and the others go on", async () => {
  const views = [
    { id: "bad", renderer: "table.view", transform: { template: { forEach: { path: "$[" } } } },
    { id: "cond", renderer: "text.view", show_if: "$.a ==" },
    { id: "good", renderer: "text.view", transform: { expr: "$.a" } },
  ];
  show({ views }, { a: "fine" });
  expect(screen.getByRole("alert").textContent).toContain("bad");
  await userEvent.click(screen.getByRole("tab", { name: "cond" }));
  expect(screen.getByRole("alert").textContent).toContain("cond");
  await userEvent.click(screen.getByRole("tab", { name: "good" }));
  expect(screen.getByText("fine")).toBeTruthy();
});

test("a renderer nobody knows is named, and what it would draw is shown", async () => {
  show({ views: [{ id: "map", renderer: "acme.map" }] }, { lat: 1 });
  expect((await screen.findByRole("note")).textContent).toContain("acme.map");
  expect(screen.getByText("lat")).toBeTruthy();
});

test("a renderer of a pack is its frame, which may run scripts and nothing else", async () => {
  const plugin = {
    pack: "acme",
    version: "1",
    digest: "d",
    path: "map.js",
    renderers: ["acme.map"],
    frame: "about:blank#map",
  };
  show({ views: [{ id: "map", renderer: "acme.map", title: { en: "Map" } }] }, { lat: 1 }, [plugin]);
  const frame = await screen.findByTitle("Map");
  expect(frame.getAttribute("sandbox")).toBe("allow-scripts");
  expect(frame.getAttribute("src")).toBe("about:blank#map");
});

test.each([
  "table.view",
  "kv.view",
  "text.view",
  "log.view",
  "number.view",
  "diff.view",
  "image.view",
  "link.view",
  "entity.view",
  "echarts.bar",
])("%s takes whatever an answer may be", (renderer) => {
  for (const value of [
    null,
    1,
    "x",
    true,
    [],
    {},
    [1, "a", null],
    [[1]],
    { a: { b: [{}] } },
    "\u202E<script>",
    { __proto__: null },
  ]) {
    const { unmount } = show({ views: [{ id: "v", renderer }] }, value);
    expect(screen.queryByText(/described wrongly/)).toBeNull();
    expect(document.querySelector("script")).toBeNull();
    unmount();
  }
});

test("a text of a megabyte is drawn as far as it is asked for", () => {
  show({ views: [{ id: "v", renderer: "kv.view" }] }, { big: "x".repeat(1_000_000) });
  expect(document.body.textContent?.length).toBeLessThan(5_000);
});

test("a list of a hundred thousand is drawn a hundred at a time", () => {
  show(
    undefined,
    Array.from({ length: 100_000 }, (_, i) => i),
  );
  expect(document.querySelectorAll(".json-line").length).toBeLessThan(110);
});

test("names of renderers are those of the server", () => {
  expect(canonicalRenderer("table.basic")).toBe("table.view");
  expect(canonicalRenderer("statistic")).toBe("number.view");
  expect(canonicalRenderer("acme.map")).toBeNull();
  expect(canonicalRenderer("constructor")).toBeNull();
});

test("whole numbers of any size are written as they are", () => {
  expect(asJson({ id: 12345678901234567890n, text: "1" })).toBe('{"id":12345678901234567890,"text":"1"}');
});

test.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "", 5])(
  "%s is not opened",
  (address) => {
    expect(safeAddress(address)).toBeNull();
  },
);

test("a picture comes from the answer or from this server", () => {
  expect(imageSource("data:image/png;base64,AAAA", "image/png")).toContain("data:image/png");
  expect(imageSource("/plugins/x.png", "image/png")).toBe("/plugins/x.png");
  expect(imageSource("//evil.example/x.png", "image/png")).toBeNull();
  expect(imageSource("https://evil.example/x.png", "image/png")).toBeNull();
  expect(imageSource("data:text/html,x", "image/png")).toBeNull();
});

test("members are found by path, or by a name with dots in it", () => {
  expect(member({ a: { b: 1 }, "c.d": 2 }, "a.b")).toBe(1);
  expect(member({ "c.d": 2 }, "c.d")).toBe(2);
  expect(member({}, "constructor.name")).toBeUndefined();
  expect(formatted("no date", "date-time", "en")).toBe("no date");
});

test("fields are called as their view says, else as the page around it, else by their keys", () => {
  const options = { columns: [{ key: "nick", label: { en: "Called" } }, "coins", "guild"] };
  show({ views: [{ id: "t", renderer: "table.basic", options }] }, [{ nick: "Ann", coins: 3, guild: "g" }]);
  const heads = screen.getAllByRole("columnheader").map((head) => head.textContent?.trim());
  expect(heads).toEqual(["Called", "Coins", "guild"]);
});
