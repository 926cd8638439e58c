import { Table, Text } from "@mantine/core";
import { texts, useLanguage, useTexts } from "#/i18n/texts";
import { said } from "#/refusals/said";
import type { LeftOut as Left } from "./broadcast";

const leftTexts = texts(
  { title: (n: number) => (n === 1 ? "1 game server was not asked" : `${n} game servers were not asked`) },
  { title: (n: number) => `${n} 台游戏服没有收到` },
);

/** The game servers that a broadcast left out, each with the reason. */
export function LeftOut({ left }: { left: readonly Left[] }) {
  const text = useTexts(leftTexts);
  const language = useLanguage();
  if (left.length === 0) return null;
  const title = text.title(left.length);
  return (
    <>
      <Text mt={6}>{title}</Text>
      <div style={{ maxHeight: 200, overflowY: "auto" }}>
        <Table aria-label={title}>
          <Table.Tbody>
            {left.map((each) => (
              <Table.Tr key={`${each.agent_id} ${each.service_id}`}>
                <Table.Td ff="monospace">{each.service_id || each.agent_id}</Table.Td>
                <Table.Td>{said({ code: each.code, detail: each.why }, language)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}
