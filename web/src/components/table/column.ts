import type { ReactNode } from "react";

export type CellValue = string | number | null | undefined;

/** A column of a DataTable. `value` is what is sorted, searched and exported; `cell` is what is seen, the value where it is left out. */
export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly value: (row: Row) => CellValue;
  readonly cell?: (row: Row) => ReactNode;
  /** In px; shared out in this proportion when there is room to spare. */
  readonly width?: number;
  readonly align?: "left" | "right" | "center";
  readonly mono?: boolean;
  /** Left out until it is asked for. */
  readonly hidden?: boolean;
}

export interface Sorting {
  readonly column: string;
  readonly direction: "ascending" | "descending";
}

export interface Selection {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}
