import { Anchor, Button, CloseButton, Code, Group, Table, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Time } from "#/components/Time";
import { useTexts } from "#/i18n/texts";
import type { Row } from "./queries";
import { auditTexts, resultIn } from "./texts";

interface Props {
  readonly row: Row;
  readonly close: () => void;
  /** Shows what else belongs to the same act. */
  readonly onAct: (actId: string) => void;
}

export function RowDetail({ row, close, onAct }: Props) {
  const text = useTexts(auditTexts);
  const isCall = row.action === "function.invoke" && row.act_id;
  const isJob = row.action.startsWith("job.") && row.act_id;
  const lines: [string, ReactNode][] = [
    [text.columns.time, <Time key="time" ms={row.time_ms} exact />],
    [text.columns.who, `${row.actor.name} (${row.actor.kind})`],
    [text.credential, row.actor.credential],
    [text.columns.address, row.address],
    [text.columns.action, row.action],
    [text.columns.target, row.target],
    [text.columns.scope, [row.game_id, row.env].filter(Boolean).join(" / ")],
    [text.columns.phase, text.phases[row.phase]],
    [text.columns.result, resultIn(text.results, row.result)],
    [text.columns.reason, row.reason],
    [text.act, isCall || isJob ? <Act key="act" row={row} /> : row.act_id],
    [text.trace, row.trace_id],
    [text.hash, row.hash],
  ];
  return (
    <section className="audit-detail" aria-label={text.row(row.seq)}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{text.row(row.seq)}</Title>
        <CloseButton aria-label={text.close} onClick={close} />
      </Group>
      <Table layout="fixed" aria-label={text.row(row.seq)}>
        <Table.Tbody>
          {lines
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th w={90}>{name}</Table.Th>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {row.details !== null && row.details !== undefined && (
        <>
          <Text fw={600} mt="sm">
            {text.details}
          </Text>
          <Code block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }} tabIndex={0}>
            {typeof row.details === "string" ? row.details : JSON.stringify(row.details, null, 2)}
          </Code>
        </>
      )}
      {row.act_id && (
        <Button mt="sm" variant="default" onClick={() => onAct(row.act_id)}>
          {text.sameAct}
        </Button>
      )}
    </section>
  );
}

function Act({ row }: { row: Row }) {
  const to = row.action === "function.invoke" ? `/calls/${row.act_id}` : `/jobs/${row.act_id}`;
  return (
    <Anchor component={Link} to={to} ff="monospace">
      {row.act_id}
    </Anchor>
  );
}
