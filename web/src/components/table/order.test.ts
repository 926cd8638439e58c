import { expect, test } from "vitest";
import type { Column } from "./column";
import { csvCell, toCsv } from "./csv";
import { chosenWith, matching, nextSorting, sorted } from "./order";
import { destination, whereIs } from "./useGridKeys";

interface Server {
  readonly name: string;
  readonly load: number | null;
}

const columns: Column<Server>[] = [
  { id: "name", header: "Name", value: (row) => row.name },
  { id: "load", header: "Load, %", value: (row) => row.load },
];
const servers: Server[] = [
  { name: "s10", load: 3 },
  { name: "s2", load: null },
  { name: "s1", load: 20 },
];
const names = (rows: readonly Server[]) => rows.map((row) => row.name);

test("texts with numbers in them are sorted as people count", () => {
  expect(names(sorted(servers, columns, { column: "name", direction: "ascending" }, "en"))).toEqual([
    "s1",
    "s2",
    "s10",
  ]);
});

test("what is missing comes last whichever way one sorts", () => {
  expect(names(sorted(servers, columns, { column: "load", direction: "ascending" }, "en"))).toEqual([
    "s10",
    "s1",
    "s2",
  ]);
  expect(names(sorted(servers, columns, { column: "load", direction: "descending" }, "en"))).toEqual([
    "s1",
    "s10",
    "s2",
  ]);
});

test("a third click on a head gives the order back in which the rows came", () => {
  const up = nextSorting(null, "name");
  const down = nextSorting(up, "name");
  expect([up?.direction, down?.direction, nextSorting(down, "name")]).toEqual(["ascending", "descending", null]);
  expect(sorted(servers, columns, null, "en")).toBe(servers);
});

test("the filter wants every word, in whichever column", () => {
  expect(names(matching(servers, columns, "S1 20"))).toEqual(["s1"]);
  expect(names(matching(servers, columns, "  "))).toEqual(["s10", "s2", "s1"]);
});

test.each([
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["+1", "'+1"],
  ["-2", "'-2"],
  ["@sum", "'@sum"],
  ["\t=1", "'\t=1"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  [-2, "-2"],
  [null, ""],
])("CSV carries %j as %j", (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});

test("a CSV file has every row under its heads, and a mark that it is UTF-8", () => {
  expect(toCsv(servers, columns)).toBe('\uFEFFName,"Load, %"\r\ns10,3\r\ns2,\r\ns1,20\r\n');
});

test("keys go no further than the first and last row", () => {
  expect(destination("j", 9, 10, 5)).toBe(9);
  expect(destination("k", -1, 10, 5)).toBe(0);
  expect(destination("PageDown", 0, 10, 5)).toBe(5);
  expect(destination("End", 0, 10, 5)).toBe(9);
  expect(destination("j", 0, 0, 5)).toBeNull();
  expect(destination("constructor", 0, 10, 5)).toBeNull();
});

test("the active row stays active when others come in above it", () => {
  const key = (row: string) => row;
  expect(whereIs({ index: 0, key: "b" }, ["new", "b"], key)).toBe(1);
  expect(whereIs({ index: 1, key: "gone" }, ["a"], key)).toBe(0);
});

test("choosing adds and takes away without touching the others", () => {
  expect([...chosenWith(new Set(["a", "b"]), ["b", "c"], true)]).toEqual(["a", "b", "c"]);
  expect([...chosenWith(new Set(["a", "b"]), ["b"], false)]).toEqual(["a"]);
});
