import { Table, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import { commonTexts } from "#/components/texts";
import { useTexts } from "#/i18n/texts";

interface Props {
  readonly label: string;
  readonly head: readonly string[];
  /** The cells of each row; what can be done with it comes last. */
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[]; readonly acts?: ReactNode }[];
}

/** A short table with acts on the right. */
export function Rows({ label, head, rows }: Props) {
  const common = useTexts(commonTexts);
  return (
    <Table withTableBorder aria-label={label}>
      <Table.Thead>
        <Table.Tr>
          {head.map((title) => (
            <Table.Th key={title}>{title}</Table.Th>
          ))}
          <Table.Th>
            <VisuallyHidden>{common.acts}</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.key}>
            {row.cells.map((cell, place) => (
              <Table.Td key={head[place]} style={{ overflowWrap: "anywhere" }}>
                {cell}
              </Table.Td>
            ))}
            <Table.Td ta="right">{row.acts}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
