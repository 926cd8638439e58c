import { Checkbox } from "@mantine/core";
import type { CSSProperties, MouseEvent } from "react";
import { useTexts } from "#/i18n/texts";
import type { Column } from "./column";
import { asText } from "./order";
import { tableTexts } from "./texts";

const CELL_LENGTH = 300;
const TITLE_LENGTH = 2_000;

interface Props<R> {
  readonly row: R;
  readonly id: string;
  readonly rowKey: string;
  readonly index: number;
  readonly columns: readonly Column<R>[];
  readonly style: CSSProperties;
  readonly active: boolean;
  readonly selected: boolean;
  readonly chosen: boolean | undefined;
  readonly onClick: (event: MouseEvent) => void;
  readonly onChoose: (wanted: boolean, range: boolean) => void;
}

export function Row<R>({
  row,
  id,
  rowKey,
  index,
  columns,
  style,
  active,
  selected,
  chosen,
  onClick,
  onChoose,
}: Props<R>) {
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
      style={style}
      onClick={onClick}
    >
      {chosen !== undefined && (
        <div role="gridcell" className="table-cell">
          <Checkbox
            size="xs"
            tabIndex={-1}
            aria-label={text.choose(rowKey.slice(0, CELL_LENGTH))}
            checked={chosen}
            onChange={(event) => onChoose(event.currentTarget.checked, isShifted(event.nativeEvent))}
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
