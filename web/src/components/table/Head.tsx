import { Checkbox } from "@mantine/core";
import { type CSSProperties, type PointerEvent, useRef } from "react";
import { useTexts } from "#/i18n/texts";
import type { Column } from "./column";
import { tableTexts } from "./texts";
import type { Table } from "./useTable";

interface Props<Row> {
  readonly table: Table<Row>;
  readonly style: CSSProperties;
  /** How many of the rows shown are chosen; left out where rows cannot be chosen. */
  readonly choice:
    | { readonly chosen: number; readonly of: number; readonly all: (wanted: boolean) => void }
    | undefined;
}

/** The head that stays in sight: sort by a click, resize by the edge. */
export function Head<Row>({ table, style, choice }: Props<Row>) {
  const text = useTexts(tableTexts);
  return (
    <div role="row" aria-rowindex={1} className="table-row table-head" style={style}>
      {choice && (
        <div role="columnheader" className="table-cell">
          <Checkbox
            size="xs"
            aria-label={text.chooseAll}
            checked={choice.of > 0 && choice.chosen === choice.of}
            indeterminate={choice.chosen > 0 && choice.chosen < choice.of}
            onChange={(event) => choice.all(event.currentTarget.checked)}
          />
        </div>
      )}
      {table.columns.map((column) => (
        <ColumnHead key={column.id} table={table} column={column} />
      ))}
    </div>
  );
}

const ARROWS = { ascending: "▲", descending: "▼" } as const;
const STEP = 16;

function ColumnHead<Row>({ table, column }: { table: Table<Row>; column: Column<Row> }) {
  const text = useTexts(tableTexts);
  const direction = table.sorting?.column === column.id ? table.sorting.direction : undefined;
  return (
    <div role="columnheader" aria-sort={direction ?? "none"} className="table-cell" data-align={column.align}>
      <button
        type="button"
        className="table-sort"
        title={`${column.header}\n${text.resizeHint}`}
        onClick={() => table.sort(column.id)}
        onKeyDown={(event) => {
          if (!event.shiftKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
          event.preventDefault();
          event.stopPropagation();
          table.resize(column.id, table.widthOf(column) + (event.key === "ArrowRight" ? STEP : -STEP));
        }}
      >
        <span className="table-sort-name">{column.header}</span>
        {direction && <span aria-hidden>{ARROWS[direction]}</span>}
      </button>
      <Edge onResize={(width) => table.resize(column.id, width)} />
    </div>
  );
}

/** For the mouse alone; the keyboard resizes on the head itself. */
function Edge({ onResize }: { onResize: (width: number | null) => void }) {
  const begun = useRef<{ x: number; width: number } | null>(null);
  const begin = (event: PointerEvent<HTMLSpanElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    begun.current = { x: event.clientX, width: event.currentTarget.parentElement?.offsetWidth ?? 0 };
  };
  return (
    <span
      aria-hidden
      className="table-edge"
      onPointerDown={begin}
      onPointerMove={(event) => begun.current && onResize(begun.current.width + event.clientX - begun.current.x)}
      onPointerUp={() => {
        begun.current = null;
      }}
      onDoubleClick={() => onResize(null)}
    />
  );
}
