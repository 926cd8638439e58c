import { Table } from "@mantine/core";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import type { PackFault } from "./queries";
import { packTexts } from "./texts";

/** What is wrong, where it stands. */
export function FaultTable({ faults, label }: { faults: readonly PackFault[]; label: string }) {
  const text = useTexts(packTexts);
  const language = useLanguage();
  return (
    <Table withTableBorder aria-label={label}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{text.file}</Table.Th>
          <Table.Th>{text.path}</Table.Th>
          <Table.Th>{text.message}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {faults.map((fault) => {
          const message = inLanguage(fault.message, language);
          return (
            <Table.Tr key={`${fault.file} ${fault.path} ${message}`}>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {fault.file}
              </Table.Td>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {fault.path}
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{message}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
