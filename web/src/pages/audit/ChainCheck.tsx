import { Alert, Button, Group, Table } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useSuspenseQuery } from "@tanstack/react-query";
import { api, body, EVERYWHERE } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { useLocale, useTexts } from "#/i18n/texts";
import type { Verdict } from "./queries";
import { auditTexts } from "./texts";

/** Has the server go over the whole chain, and says which rows do not hold. */
export function ChainCheck() {
  const text = useTexts(auditTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  const check = useMutation({ mutationFn: () => body(api.POST("/api/audit/verify", { headers: EVERYWHERE })) });
  if (!may(me, "audit:verify")) return null;
  return (
    <Group gap="xs" align="flex-start">
      <div aria-live="polite">
        {check.error && <ProblemBox error={check.error} />}
        {check.data && <Outcome verdict={check.data} />}
      </div>
      <Button
        variant="default"
        leftSection={<IconShieldCheck size={14} aria-hidden />}
        loading={check.isPending}
        onClick={() => check.mutate()}
      >
        {text.chain}
      </Button>
    </Group>
  );
}

function Outcome({ verdict }: { verdict: Verdict }) {
  const text = useTexts(auditTexts);
  const rows = new Intl.NumberFormat(useLocale()).format(verdict.rows);
  if (verdict.holds) {
    return (
      <Alert color="green" py={4}>
        {text.holds(rows, verdict.checkpoints)}
      </Alert>
    );
  }
  return (
    <Alert color="red" title={text.broken(rows)}>
      <Table aria-label={text.problem}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.faultAt}</Table.Th>
            <Table.Th>{text.problem}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {verdict.faults.map((fault) => (
            <Table.Tr key={`${fault.seq} ${fault.problem}`}>
              <Table.Td>{fault.seq}</Table.Td>
              <Table.Td>{fault.problem}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {verdict.more_faults > 0 && text.more(verdict.more_faults)}
    </Alert>
  );
}
