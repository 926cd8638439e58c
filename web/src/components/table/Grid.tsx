import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type MouseEvent,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
} from "react";
import type { DataTableProps } from "../DataTable";
import { Head } from "./Head";
import { chosenWith } from "./order";
import { Row, type RowActs } from "./Row";
import { useGridKeys } from "./useGridKeys";
import type { Table } from "./useTable";

const ROW = 24;
const CHECKBOX = 32;
const OVERSCAN = 12;
const NEAR_END = 20;

interface Props<R> extends DataTableProps<R> {
  readonly table: Table<R>;
  readonly grid: RefObject<HTMLDivElement | null>;
}

/**
 * The rows in sight. The grid itself has the focus and the keys, and says which row is active (WAI-ARIA grid,
 * aria-activedescendant). Roles instead of <table>: rows of a virtual table are placed by hand, which <tr> does not allow.
 */
export function Grid<R>(props: Props<R>) {
  const { table, grid, rowKey, label, selected, onOpen, selection, loadMore, maxHeight } = props;
  const { rows } = table;
  const id = useId();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => grid.current,
    estimateSize: () => ROW,
    overscan: OVERSCAN,
    scrollPaddingStart: ROW,
  });
  const choose = useChoice(props);
  const keys = useGridKeys({
    props,
    choose,
    reveal: (index) => virtual.scrollToIndex(index),
    page: visibleRows(grid.current),
  });
  const items = virtual.getVirtualItems();
  useMore(rows.length, items.at(-1)?.index ?? 0, table.search ? undefined : loadMore);
  const style = gridStyle(table, Boolean(selection));
  const chosenShown = selection ? rows.reduce((n, row) => n + Number(selection.chosen.has(rowKey(row))), 0) : 0;
  const acts = useRowActs<R>({
    open: (row, index, event) => {
      keys.setActive(index);
      if (onOpen && isPlainClick(event)) onOpen(row);
    },
    choose,
  });
  return (
    <div
      ref={grid}
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-multiselectable={selection ? true : undefined}
      aria-activedescendant={items.some(({ index }) => index === keys.active) ? `${id}-${keys.active}` : undefined}
      tabIndex={0}
      className="table-scroll"
      style={maxHeight ? ({ "--table-height": `${maxHeight}px` } as CSSProperties) : undefined}
      onKeyDown={keys.onKeyDown}
    >
      <div role="rowgroup" className="table-head">
        <Head
          table={table}
          style={style}
          choice={
            selection && {
              chosen: chosenShown,
              of: rows.length,
              all: (wanted) => selection.onChange(chosenWith(selection.chosen, rows.map(rowKey), wanted)),
            }
          }
        />
      </div>
      <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize(), minWidth: style.minWidth }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const key = rowKey(row);
          return (
            <Row
              key={key}
              id={`${id}-${index}`}
              row={row}
              rowKey={key}
              index={index}
              columns={table.columns}
              tracks={style.gridTemplateColumns}
              minWidth={style.minWidth}
              start={start}
              opens={onOpen !== undefined}
              active={index === keys.active}
              selected={key === selected}
              chosen={selection?.chosen.has(key)}
              acts={acts}
            />
          );
        })}
      </div>
    </div>
  );
}

/** The same functions always, which do what those of the last drawing do. */
function useRowActs<R>(now: RowActs<R>): RowActs<R> {
  const latest = useRef(now);
  useLayoutEffect(() => {
    latest.current = now;
  });
  const open = useCallback<RowActs<R>["open"]>((...given) => latest.current.open(...given), []);
  const choose = useCallback<RowActs<R>["choose"]>((...given) => latest.current.choose(...given), []);
  return useMemo(() => ({ open, choose }), [open, choose]);
}

function gridStyle<R>(table: Table<R>, checkbox: boolean): { gridTemplateColumns: string; minWidth: number } {
  const widths = table.columns.map((column) => table.widthOf(column));
  const tracks = table.columns.map((column, index) =>
    table.isResized(column) ? `${widths[index]}px` : `minmax(${widths[index]}px, ${widths[index]}fr)`,
  );
  if (checkbox) tracks.unshift(`${CHECKBOX}px`);
  return {
    gridTemplateColumns: tracks.join(" "),
    minWidth: widths.reduce((sum, width) => sum + width, checkbox ? CHECKBOX : 0),
  };
}

function visibleRows(grid: HTMLElement | null): number {
  return Math.max(1, Math.floor((grid?.clientHeight ?? 0) / ROW) - 2);
}

/** A click on the row itself: not on what stands in it, nor the end of marking text. */
function isPlainClick(event: MouseEvent): boolean {
  const on = event.target instanceof Element ? event.target.closest("a, button, input, label, select") : null;
  return on === null && !globalThis.getSelection()?.toString();
}

/** Chooses a row; with `range` all from the one chosen last. */
function useChoice<R>({ table, rowKey, selection }: Props<R>) {
  const anchor = useRef(0);
  return (index: number, wanted: boolean, range: boolean) => {
    if (!selection) return;
    const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
    anchor.current = index;
    selection.onChange(chosenWith(selection.chosen, table.rows.slice(from, to + 1).map(rowKey), wanted));
  };
}

/** Asks for more rows once when the end of these comes in sight. */
function useMore(length: number, last: number, loadMore: (() => void) | undefined) {
  const asked = useRef(-1);
  useEffect(() => {
    if (!loadMore || length === 0 || last < length - NEAR_END || asked.current === length) return;
    asked.current = length;
    loadMore();
  }, [length, last, loadMore]);
}
