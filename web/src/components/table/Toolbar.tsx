import { Button, CloseButton, Group, Menu, Text, TextInput } from "@mantine/core";
import { IconColumns3, IconDownload } from "@tabler/icons-react";
import { type ReactNode, type RefObject, useRef } from "react";
import { useTexts } from "#/i18n/texts";
import { download } from "../download";
import type { Selection } from "./column";
import { toCsv } from "./csv";
import { tableTexts } from "./texts";
import { usePageKeys } from "./usePageKeys";
import type { Table } from "./useTable";

interface Props<Row> {
  readonly table: Table<Row>;
  readonly label: string;
  readonly total: number;
  readonly selection: Selection | undefined;
  /** Where the keyboard goes on from the filter. */
  readonly grid: RefObject<HTMLElement | null>;
  readonly children: ReactNode;
}

/** Above a table: filter, what its page adds, how many rows, columns, CSV. */
export function Toolbar<Row>({ table, label, total, selection, grid, children }: Props<Row>) {
  const text = useTexts(tableTexts);
  const shown = table.rows.length;
  return (
    <Group gap={6} wrap="wrap" className="table-toolbar">
      <Filter table={table} label={label} grid={grid} />
      {children}
      <Text c="dimmed" aria-live="polite" style={{ marginInlineStart: "auto" }}>
        {shown === total ? text.rows(total) : text.rowsOf(shown, total)}
      </Text>
      {selection && selection.chosen.size > 0 && (
        <Button variant="subtle" size="compact-xs" onClick={() => selection.onChange(new Set())} title={text.forget}>
          {text.chosen(selection.chosen.size)} ✕
        </Button>
      )}
      <ColumnMenu table={table} />
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconDownload size={12} aria-hidden />}
        title={text.csvHint(shown)}
        disabled={shown === 0}
        onClick={() => download(`${fileName(label)}.csv`, toCsv(table.rows, table.columns), "text/csv;charset=utf-8")}
      >
        {text.csv}
      </Button>
    </Group>
  );
}

function fileName(label: string): string {
  return label.replace(/[\p{Cc}\p{Cf}\\/:*?"<>|]+/gu, "_").slice(0, 80) || "table";
}

function Filter<Row>({ table, label, grid }: Pick<Props<Row>, "table" | "label" | "grid">) {
  const text = useTexts(tableTexts);
  const input = useRef<HTMLInputElement>(null);
  usePageKeys("/", () => input.current?.focus());
  return (
    <TextInput
      ref={input}
      size="xs"
      w={180}
      aria-label={text.filterOf(label)}
      placeholder={text.filter}
      value={table.search}
      onChange={(event) => table.setSearch(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" && table.search) {
          event.stopPropagation();
          table.setSearch("");
        } else if (event.key === "Enter" || event.key === "ArrowDown" || event.key === "Escape") {
          event.preventDefault();
          grid.current?.focus();
        }
      }}
      rightSection={
        table.search && <CloseButton size="xs" aria-label={text.clear} onClick={() => table.setSearch("")} />
      }
    />
  );
}

function ColumnMenu<Row>({ table }: { table: Table<Row> }) {
  const text = useTexts(tableTexts);
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button variant="default" size="compact-xs" leftSection={<IconColumns3 size={12} aria-hidden />}>
          {text.columns}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: "auto" }}>
        {table.every.map((column) => {
          const shown = table.isShown(column);
          return (
            <Menu.CheckboxItem
              key={column.id}
              checked={shown}
              // A table without columns would have no head to bring them back by.
              disabled={shown && table.columns.length === 1}
              onChange={() => table.show(column.id, !shown)}
            >
              {column.header}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
