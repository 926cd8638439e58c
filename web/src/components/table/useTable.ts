import { useLocalStorage } from "@mantine/hooks";
import { useDeferredValue, useMemo, useState } from "react";
import { useLocale } from "#/i18n/texts";
import type { Column, Sorting } from "./column";
import { matching, nextSorting, sorted } from "./order";

/** What this browser keeps of a table: which columns, how wide. */
interface Kept {
  readonly shown: Readonly<Record<string, boolean>>;
  readonly widths: Readonly<Record<string, number>>;
}

const KEY_LENGTH = 80;
const NARROWEST = 40;
const WIDEST = 1_200;
export const USUAL_WIDTH = 140;

export interface Table<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly every: readonly Column<Row>[];
  readonly search: string;
  readonly setSearch: (search: string) => void;
  readonly sorting: Sorting | null;
  readonly sort: (column: string) => void;
  readonly show: (column: string, shown: boolean) => void;
  readonly isShown: (column: Column<Row>) => boolean;
  readonly widthOf: (column: Column<Row>) => number;
  readonly isResized: (column: Column<Row>) => boolean;
  /** null: back to the first width. */
  readonly resize: (column: string, width: number | null) => void;
}

/** The rows that pass the filter in the order asked for, and the columns as this browser keeps them under `label`. */
export function useTable<Row>(rows: readonly Row[], every: readonly Column<Row>[], label: string): Table<Row> {
  const locale = useLocale();
  const [search, setSearch] = useState("");
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [kept, setKept] = useLocalStorage<Kept>({
    key: `croupier.table.${label.slice(0, KEY_LENGTH)}`,
    defaultValue: { shown: {}, widths: {} },
    getInitialValueInEffect: false,
  });
  const wanted = useDeferredValue(search);
  const found = useMemo(() => matching(rows, every, wanted), [rows, every, wanted]);
  const ordered = useMemo(() => sorted(found, every, sorting, locale), [found, every, sorting, locale]);
  const isShown = (column: Column<Row>) => own(kept.shown, column.id) ?? !column.hidden;
  // The same as long as nothing about them changed: rows that stay in sight are not drawn again.
  const columns = useMemo(
    () => every.filter((column) => own(kept.shown, column.id) ?? !column.hidden),
    [every, kept.shown],
  );
  const resize = (column: string, width: number | null) =>
    setKept((now) => {
      const { [column]: _, ...others } = now.widths;
      if (width === null) return { ...now, widths: others };
      return { ...now, widths: { ...others, [column]: Math.min(WIDEST, Math.max(NARROWEST, Math.round(width))) } };
    });
  return {
    rows: ordered,
    columns,
    every,
    search,
    setSearch,
    sorting,
    sort: (column) => setSorting((now) => nextSorting(now, column)),
    show: (column, shown) => setKept((now) => ({ ...now, shown: { ...now.shown, [column]: shown } })),
    isShown,
    widthOf: (column) => own(kept.widths, column.id) ?? column.width ?? USUAL_WIDTH,
    isResized: (column) => own(kept.widths, column.id) !== undefined,
    resize,
  };
}

/** Ids of columns may be anything a game server sends, `__proto__` too. */
function own<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
