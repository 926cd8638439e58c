import { Badge, Table } from "@mantine/core";
import { Section } from "#/components/Section";
import { useTexts } from "#/i18n/texts";
import type { FunctionDocument, Origin } from "./queries";
import { registryTexts } from "./texts";

/** "pack player 1.2.0": who describes. */
export function useOriginText(): (origin: Origin) => string {
  const { kinds } = useTexts(registryTexts);
  return ({ kind, name, version }) =>
    [(kinds as Record<string, string>)[kind] ?? kind, name, version].filter(Boolean).join(" ");
}

/** Everybody who says something of a function, and whose word counts. */
export function Origins({ found }: { found: FunctionDocument }) {
  const text = useTexts(registryTexts);
  const originText = useOriginText();
  return (
    <Section title={text.origins} hint={found.origins.length > 1 ? text.originsHint : undefined}>
      <Table withTableBorder aria-label={text.origins}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.origin}</Table.Th>
            <Table.Th>{text.file}</Table.Th>
            <Table.Th>{text.state}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {found.origins.map(({ origin }, place) => (
            <Table.Tr key={`${origin.kind} ${origin.name} ${origin.file}`}>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{originText(origin)}</Table.Td>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {origin.file}
              </Table.Td>
              <Table.Td>
                <Badge color={place === 0 ? "green" : "gray"}>{place === 0 ? text.counts1 : text.leftOut}</Badge>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}
