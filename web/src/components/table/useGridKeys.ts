import { type KeyboardEvent, useState } from "react";
import type { DataTableProps } from "../DataTable";
import { usePageKeys } from "./usePageKeys";
import type { Table } from "./useTable";

interface Given<R> {
  readonly props: DataTableProps<R> & {
    readonly table: Table<R>;
    readonly grid: { readonly current: HTMLElement | null };
  };
  readonly choose: (index: number, wanted: boolean, range: boolean) => void;
  readonly reveal: (index: number) => void;
  /** How far Page Down goes. */
  readonly page: number;
}

interface Active {
  readonly index: number;
  readonly key: string;
}

/** Rows come and go above it: the active row is the one with its key, wherever that stands now. */
export function whereIs<R>({ index, key }: Active, rows: readonly R[], rowKey: (row: R) => string): number {
  const row = rows[index];
  if (row === undefined || rowKey(row) === key) return Math.min(index, rows.length - 1);
  const found = rows.findIndex((one) => rowKey(one) === key);
  return found >= 0 ? found : Math.min(index, rows.length - 1);
}

/** Where a key leads from row `at` of `length`; null: nowhere. */
export function destination(key: string, at: number, length: number, page: number): number | null {
  const steps: Record<string, number> = {
    j: 1,
    ArrowDown: 1,
    k: -1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -length,
    End: length,
  };
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
  if (step === undefined || length === 0) return null;
  return Math.min(length - 1, Math.max(0, at + step));
}

/** j k and arrows go, Enter opens, x or Space chooses, Shift with an arrow chooses on the way, Ctrl+A all. */
export function useGridKeys<R>({ props, choose, reveal, page }: Given<R>) {
  const { table, selection, rowKey, onOpen, grid } = props;
  const { rows } = table;
  const [last, setLast] = useState<Active>({ index: -1, key: "" });
  const active = whereIs(last, rows, rowKey);
  const setActive = (index: number) => {
    const row = rows[index];
    if (row !== undefined) setLast({ index, key: rowKey(row) });
  };
  const go = (index: number) => {
    setActive(index);
    reveal(index);
  };
  const toggle = (range: boolean) => {
    const row = rows[active];
    if (row !== undefined) choose(active, range || !selection?.chosen.has(rowKey(row)), range);
  };
  const act = (event: KeyboardEvent): boolean => {
    const to = destination(event.key, active, rows.length, page);
    if (to !== null) {
      go(to);
      if (event.shiftKey && selection) choose(to, true, true);
      return true;
    }
    const row = rows[active];
    if (event.key === "Enter" && row !== undefined && onOpen) onOpen(row);
    else if ((event.key === "x" || event.key === " ") && selection) toggle(event.shiftKey);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey) && selection)
      selection.onChange(new Set(rows.map(rowKey)));
    else return false;
    return true;
  };
  // j and k work on a page as soon as it is open; from then on the grid has the focus.
  usePageKeys("jk", (event) => {
    grid.current?.focus();
    go(destination(event.key, active, rows.length, page) ?? 0);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    // Keys of a button in the head, or of what stands in a cell, are its own.
    const own = event.target === event.currentTarget;
    if (!own && event.target instanceof Element && event.target.closest("button, input, a")) return;
    if ((event.ctrlKey || event.metaKey || event.altKey) && event.key !== "a") return;
    if (act(event)) event.preventDefault();
  };
  return { active, setActive, onKeyDown };
}
