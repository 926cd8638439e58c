import type { CellValue, Column } from "./column";

const FORMULA = /^[=+\-@\t\r]/;
const QUOTED = /[",\r\n]/;

/** RFC 4180 with a BOM, without which spreadsheets misread anything but ASCII. Texts that a spreadsheet would run begin with `'`. */
export function toCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const head = columns.map((column) => csvCell(column.header));
  const lines = rows.map((row) => columns.map((column) => csvCell(column.value(row))).join(","));
  return `\uFEFF${[head.join(","), ...lines].join("\r\n")}\r\n`;
}

export function csvCell(value: CellValue): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
