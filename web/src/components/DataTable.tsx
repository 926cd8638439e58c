import "./table/data-table.css";
import { Button, Group } from "@mantine/core";
import { type ReactNode, useRef } from "react";
import { useTexts } from "#/i18n/texts";
import { EmptyState } from "./EmptyState";
import type { Column, Selection } from "./table/column";
import { Grid } from "./table/Grid";
import { Toolbar } from "./table/Toolbar";
import { tableTexts } from "./table/texts";
import { useTable } from "./table/useTable";

export type { CellValue, Column, Selection } from "./table/column";

export interface DataTableProps<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  /** What the rows are, for screen readers and the name of the CSV file. */
  readonly label: string;
  /** The key of the row that is open beside the table. */
  readonly selected?: string | undefined;
  /** Enter or a click on a row. */
  readonly onOpen?: ((row: Row) => void) | undefined;
  readonly selection?: Selection | undefined;
  readonly toolbar?: ReactNode;
  /** Asked once for each length of `rows` when their end is in sight; left out when there are no more. */
  readonly loadMore?: (() => void) | undefined;
  readonly empty?: ReactNode;
  /** At most so many px high; without it as high as the page allows. */
  readonly maxHeight?: number;
}

/** Rows by the ten thousand: virtual, sorted, filtered, chosen, saved as CSV, all of it by the keyboard. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { rows, columns, label, selection, toolbar, empty, loadMore } = props;
  const text = useTexts(tableTexts);
  const table = useTable(rows, columns, label);
  const grid = useRef<HTMLDivElement>(null);
  if (rows.length === 0 && empty)
    return (
      <div className="data-table">
        {toolbar && (
          <Group gap={6} wrap="wrap" className="table-toolbar">
            {toolbar}
          </Group>
        )}
        {empty}
      </div>
    );
  return (
    <div className="data-table">
      <Toolbar table={table} label={label} total={rows.length} selection={selection} grid={grid}>
        {toolbar}
      </Toolbar>
      <Grid {...props} table={table} grid={grid} />
      {table.rows.length === 0 && rows.length > 0 && (
        <EmptyState title={text.none}>
          <Button variant="default" onClick={() => table.setSearch("")}>
            {text.clear}
          </Button>
        </EmptyState>
      )}
      {loadMore && (
        <Button variant="subtle" size="compact-xs" m={4} w="fit-content" onClick={loadMore}>
          {text.more}
        </Button>
      )}
    </div>
  );
}
