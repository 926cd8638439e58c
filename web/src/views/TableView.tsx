import { useMemo, useState } from "react";
import { type CellValue, type Column, DataTable } from "#/components/DataTable";
import { Dialog } from "#/components/Dialog";
import { EmptyState } from "#/components/EmptyState";
import { commonTexts } from "#/components/texts";
import type { Language } from "#/i18n/language";
import { type Bilingual, inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { useFieldNames } from "./FieldNames";
import { type FieldSpec, labelOf, readFields } from "./fields";
import { formatted, inline, member } from "./format";
import { Address, KeyValue } from "./KeyValue";
import { Mismatch } from "./Mismatch";
import { isObject, type RendererProps } from "./spec";
import { viewTexts } from "./texts";

interface Numbered {
  readonly number: number;
  readonly row: unknown;
}

const MOST_COLUMNS = 40;
const LOOKED_AT = 200;

/** A list of objects as a table; its columns are `options.columns`, else the members that its rows have. */
export function TableView({ value, options, label }: RendererProps) {
  const text = useTexts(viewTexts);
  const language = useLanguage();
  const locale = useLocale();
  const nameOf = useFieldNames();
  const list = listOf(value);
  const rows = useMemo(() => list?.map((row, index): Numbered => ({ number: index + 1, row })) ?? [], [list]);
  const columns = useMemo(
    () => columnsOf(list ?? [], options.columns, { language, locale, nameOf }, text.value),
    [list, options.columns, language, locale, nameOf, text.value],
  );
  const [open, setOpen] = useState<Numbered | null>(null);
  if (list === null) return <Mismatch message={text.notAList} value={value} />;
  return (
    <>
      <DataTable
        rows={rows}
        columns={columns}
        rowKey={({ number }) => String(number)}
        label={label}
        onOpen={setOpen}
        maxHeight={520}
        empty={<EmptyState title={text.nothing} />}
      />
      <Dialog
        opened={open !== null}
        onClose={() => setOpen(null)}
        title={`${text.details} ${open?.number ?? ""}`}
        size="xl"
      >
        {open && <KeyValue value={open.row} />}
      </Dialog>
    </>
  );
}

const LISTS = ["rows", "items", "data", "list", "results", "records"] as const;

/** The list in an answer: itself, or the one under a name that lists go by. */
export function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (value === null || value === undefined) return [];
  if (!isObject(value)) return null;
  const named = LISTS.map((name) => value[name]).find(Array.isArray);
  return named ?? null;
}

interface Reader {
  readonly language: Language;
  readonly locale: string;
  readonly nameOf: (key: string) => string;
}

function columnsOf(
  list: readonly unknown[],
  given: unknown,
  reader: Reader,
  only: string,
): readonly Column<Numbered>[] {
  const fields = readFields(given);
  if (fields.length > 0) return fields.map((field) => columnOf(field, list, reader));
  const names = new Set(list.slice(0, LOOKED_AT).flatMap((row) => (isObject(row) ? Object.keys(row) : [])));
  if (names.size === 0) return [{ id: "value", header: only, value: ({ row }) => inline(row) }];
  const found = readFields([...names].slice(0, MOST_COLUMNS));
  return found.map((field) => columnOf(field, list, reader));
}

const WIDTHS = { narrow: 90, usual: 140, wide: 220 } as const;

function columnOf(field: FieldSpec, list: readonly unknown[], { language, locale, nameOf }: Reader): Column<Numbered> {
  const seen = list.slice(0, LOOKED_AT).map((row) => member(row, field.key));
  const numbers =
    seen.some(isNumber) && seen.every((value) => isNumber(value) || value === null || value === undefined);
  const align =
    field.align === "right" || field.align === "center" || field.align === "left"
      ? field.align
      : numbers
        ? "right"
        : "left";
  const longest = seen.reduce<number>((most, value) => Math.max(most, inline(value).length), 0);
  const width = field.width ?? (longest > 24 ? WIDTHS.wide : longest > 8 ? WIDTHS.usual : WIDTHS.narrow);
  return {
    id: field.key,
    header: labelOf(field, language, nameOf),
    align,
    width,
    mono: seen.some((value) => typeof value === "object" && value !== null),
    hidden: field.hidden,
    // What is sorted and saved is the value itself; its format is for the eye.
    value: ({ row }) => cellValue(member(row, field.key)),
    cell: ({ row }) => <Cell value={member(row, field.key)} field={field} language={language} locale={locale} />,
  };
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function cellValue(value: unknown): CellValue {
  return typeof value === "number" ? value : inline(value);
}

const CELL_LENGTH = 300;

interface CellProps {
  readonly value: unknown;
  readonly field: FieldSpec;
  readonly language: Language;
  readonly locale: string;
}

function Cell({ value, field, language, locale }: CellProps) {
  const text = useTexts(commonTexts);
  if (field.format === "link") return <Address address={value} />;
  if (field.names && (typeof value === "string" || typeof value === "number") && Object.hasOwn(field.names, value)) {
    return inLanguage(field.names[String(value)] as Bilingual, language, String(value));
  }
  if (typeof value === "boolean") return value ? text.yes : text.no;
  return formatted(value, field.format, locale).slice(0, CELL_LENGTH);
}
