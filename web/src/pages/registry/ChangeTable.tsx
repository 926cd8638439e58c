import { Badge, Table, Text } from "@mantine/core";
import { type Bilingual, inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { registryTexts } from "./texts";

export interface DescriptionChange {
  readonly path: string;
  readonly what: string;
  readonly breaking: boolean;
  readonly why: Bilingual;
}

/** What changed in a description, path by path, and whether it breaks who calls it. */
export function ChangeTable({ changes }: { changes: readonly DescriptionChange[] }) {
  const text = useTexts(registryTexts);
  const language = useLanguage();
  if (changes.length === 0) return <Text c="dimmed">{text.noChange}</Text>;
  return (
    <Table withTableBorder aria-label={text.what}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{text.path}</Table.Th>
          <Table.Th>{text.what}</Table.Th>
          <Table.Th>{text.why}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {changes.map((change) => (
          <Table.Tr key={`${change.path} ${change.what} ${inLanguage(change.why, "en")}`}>
            <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
              {change.path}
            </Table.Td>
            <Table.Td>{(text.whats as Record<string, string>)[change.what] ?? change.what}</Table.Td>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              {change.breaking && <Badge color="red">{text.breaks}</Badge>} {inLanguage(change.why, language)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
