import { Checkbox } from "@mantine/core";
import { type MouseEvent, memo } from "react";
import { useTexts } from "#/i18n/texts";
import type { Column } from "./column";
import { asText } from "./order";
import { tableTexts } from "./texts";

const CELL_LENGTH = 300;
const TITLE_LENGTH = 2_000;

export interface RowActs<R> {
  readonly open: (row: R, index: number, event: MouseEvent) => void;
  readonly choose: (index: number, wanted: boolean, range: boolean) => void;
}

interface Props<R> {
  readonly row: R;
  readonly id: string;
  readonly rowKey: string;
  readonly index: number;
  readonly columns: readonly Column<R>[];
  /** As `grid-template-columns` has them. */
  readonly tracks: string;
  readonly minWidth: number;
  /** In px from the first row. */
  readonly start: number;
  readonly opens: boolean;
  readonly active: boolean;
  readonly selected: boolean;
  readonly chosen: boolean | undefined;
  readonly acts: RowActs<R>;
}

/** Drawn again only when something about it changed: scrolling brings some rows, and leaves the others as they are. */
export const Row = memo(RowOf) as typeof RowOf;

function RowOf<R>(props: Props<R>) {
  const { row, id, rowKey, index, columns, tracks, minWidth, start, opens, active, selected, chosen, acts } = props;
  const text = useTexts(tableTexts);
  return (
    <div
      role="row"
      id={id}
      aria-rowindex={index + 2}
      aria-selected={chosen ?? selected}
      className="table-row"
      data-active={active || undefined}
      data-selected={selected || chosen || undefined}
      data-opens={opens || undefined}
      style={{ gridTemplateColumns: tracks, minWidth, transform: `translateY(${start}px)` }}
      onClick={(event) => acts.open(row, index, event)}
    >
      {chosen !== undefined && (
        <div role="gridcell" className="table-cell">
          <Checkbox
            size="xs"
            tabIndex={-1}
            aria-label={text.choose(rowKey.slice(0, CELL_LENGTH))}
            checked={chosen}
            onChange={(event) => acts.choose(index, event.currentTarget.checked, isShifted(event.nativeEvent))}
          />
        </div>
      )}
      {columns.map((column) => (
        <Cell key={column.id} row={row} column={column} />
      ))}
    </div>
  );
}

function isShifted(event: Event): boolean {
  return "shiftKey" in event && event.shiftKey === true;
}

function Cell<R>({ row, column }: { row: R; column: Column<R> }) {
  const value = asText(column.value(row));
  return (
    <div
      role="gridcell"
      className="table-cell"
      data-align={column.align}
      data-mono={column.mono || undefined}
      title={value.slice(0, TITLE_LENGTH)}
    >
      {column.cell ? column.cell(row) : value.slice(0, CELL_LENGTH)}
    </div>
  );
}
