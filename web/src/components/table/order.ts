import type { CellValue, Column, Sorting } from "./column";

const SEARCHED = 4_000;

/** The rows of which some column has every word of `search`. */
export function matching<Row>(rows: readonly Row[], columns: readonly Column<Row>[], search: string): readonly Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = columns
      .map((column) => asText(column.value(row)).slice(0, SEARCHED))
      .join("\n")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** A sorted copy: numbers as numbers, texts as people count them (`s2` before `s10`), what is not there last either way. */
export function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  by: Sorting | null,
  locale: string,
): readonly Row[] {
  const column = columns.find((one) => one.id === by?.column);
  if (!column || !by) return rows;
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  const sign = by.direction === "ascending" ? 1 : -1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => missingLast(a.value, b.value) ?? sign * compare(a.value, b.value, collator))
    .map(({ row }) => row);
}

function missingLast(a: CellValue, b: CellValue): number | null {
  const [noA, noB] = [isMissing(a), isMissing(b)];
  return noA || noB ? Number(noA) - Number(noB) : null;
}

function isMissing(value: CellValue): boolean {
  return value === null || value === undefined || value === "";
}

function compare(a: CellValue, b: CellValue, collator: Intl.Collator): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(asText(a), asText(b));
}

export function asText(value: CellValue): string {
  return value === null || value === undefined ? "" : String(value);
}

/** What a click on a column's head asks for: up, down, as it came. */
export function nextSorting(now: Sorting | null, column: string): Sorting | null {
  if (now?.column !== column) return { column, direction: "ascending" };
  return now.direction === "ascending" ? { column, direction: "descending" } : null;
}

/** `chosen` with all of `keys` in it, or out of it. */
export function chosenWith(chosen: ReadonlySet<string>, keys: readonly string[], wanted: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  for (const key of keys) {
    if (wanted) next.add(key);
    else next.delete(key);
  }
  return next;
}
