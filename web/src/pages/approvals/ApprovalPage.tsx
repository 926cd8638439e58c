import { Alert, Anchor, Badge, Code, Grid, List, Stack, Table, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { RiskBadge, StateBadge } from "#/components/badges";
import { CopyField } from "#/components/CopyField";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { commonTexts } from "#/components/texts";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { said } from "#/refusals/said";
import { Arguments } from "./Arguments";
import { Decide } from "./Decide";
import { approvalQuery, type Document, scopeOf } from "./queries";
import { approvalTexts } from "./texts";

/** One request: what would run, who agreed, and the buttons to decide. */
export function ApprovalPage() {
  const { approvalId } = useParams({ from: "/shell/approvals/$approvalId" });
  const approval = useQuery(approvalQuery(approvalId));
  useInvalidateOn("approvals", approvalQuery(approvalId).queryKey);
  if (approval.isPending) return <Waiting />;
  if (!approval.data) return <ProblemBox error={approval.error} again={() => void approval.refetch()} />;
  return <Shown approval={approval.data} />;
}

function Shown({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const language = useLanguage();
  const { description } = approval;
  const risk = typeof description.risk === "string" ? description.risk : undefined;
  return (
    <>
      <PageHeader
        title={inLanguage(description.display_name as object | undefined, language, approval.function_id)}
        badges={
          <>
            <StateBadge state={approval.state} label={text.states[approval.state]} />
            <RiskBadge risk={risk} />
            {approval.kind !== "invoke" && <Badge color="gray">{text.kinds[approval.kind]}</Badge>}
            {approval.break_glass && <Badge color="red">{text.breakGlass}</Badge>}
          </>
        }
        detail={
          <>
            {approval.function_id} · {scopeOf(approval)} · {approval.requester} · <Time ms={approval.created_ms} />
          </>
        }
      />
      <Grid px="md" pb="xl" gap="xl">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack gap="lg">
            <Standing approval={approval} />
            <Section title={text.arguments}>
              <Arguments approval={approval} />
            </Section>
            <Request approval={approval} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="lg">
            <Decide approval={approval} />
            <Stages approval={approval} />
            <Said approval={approval} />
          </Stack>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Standing({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const language = useLanguage();
  return (
    <>
      {approval.drifted.length > 0 && (
        <Alert color="orange" title={text.drifted}>
          <List size="xs">
            {approval.drifts.map((why) => (
              <List.Item key={why.detail}>{said(why, language)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {approval.message && (
        <Alert color={approval.state === "executed" ? "green" : "gray"} title={text.message}>
          <Text style={{ overflowWrap: "anywhere" }}>{said(approval.ending, language)}</Text>
        </Alert>
      )}
      {approval.changes && (
        <Alert color="orange" title={text.changed}>
          <Code block tabIndex={0} style={{ maxHeight: 240, overflow: "auto" }}>
            {JSON.stringify(approval.changes, null, 2)}
          </Code>
        </Alert>
      )}
    </>
  );
}

function Request({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const language = useLanguage();
  const { routes } = useTexts(commonTexts);
  const rows: [string, React.ReactNode][] = [
    [text.columns.reason, approval.reason],
    [text.columns.ticket, approval.ticket],
    [text.why, approval.causes.map((cause) => said(cause, language)).join(" · ")],
    [text.route, routes[approval.route as keyof typeof routes] ?? approval.route],
    [text.target, approval.target_service_id],
    [text.columns.expires, approval.state === "pending" && <Time ms={approval.expires_ms} />],
    [text.decided, approval.decided_ms > 0 && <Time ms={approval.decided_ms} exact />],
    [text.finished, approval.finished_ms > 0 && <Time ms={approval.finished_ms} exact />],
    [text.digest, <CopyField key="digest" value={approval.digest} label={text.digest} />],
  ];
  return (
    <Section title={text.request} acts={<Performed approval={approval} />}>
      <Table aria-label={text.request} layout="fixed">
        <Table.Tbody>
          {rows
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th w={150}>{name}</Table.Th>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

/** A way to what was asked for: it has its id from the beginning. */
function Performed({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const to = { invoke: "/calls/", job: "/jobs/", bulk: "/bulk/" }[approval.kind] + approval.call_id;
  const label = { invoke: text.callLink, job: text.jobLink, bulk: text.bulkLink }[approval.kind];
  return (
    <Anchor component={Link} to={to}>
      {label}
    </Anchor>
  );
}

function Stages({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  return (
    <Section title={text.stages}>
      <Table withTableBorder aria-label={text.stages}>
        <Table.Tbody>
          {approval.stages.map((stage, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: stages are known by their place
            <Table.Tr key={place}>
              <Table.Th w={110}>{text.stage(place + 1, approval.stages.length)}</Table.Th>
              <Table.Td>{stage.approvers.join(", ") || text.anybody}</Table.Td>
              <Table.Td>{stage.approved_by.join(", ")}</Table.Td>
              <Table.Td w={60} ta="right">
                {text.of(stage.approved_by.length, stage.threshold)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

interface Line {
  readonly who: string;
  readonly did: string;
  readonly words: string;
  readonly when: number;
}

function Said({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const lines: Line[] = [
    ...approval.votes.map((vote) => ({
      who: vote.name,
      did: text.approvedIt,
      words: vote.comment,
      when: vote.time_ms,
    })),
    ...approval.comments.map((said) => ({ who: said.name, did: text.commented, words: said.text, when: said.time_ms })),
  ].sort((a, b) => a.when - b.when);
  return (
    <Section title={text.history}>
      {lines.length === 0 && <Text c="dimmed">{text.noHistory}</Text>}
      <Timeline bulletSize={10} lineWidth={1}>
        {lines.map((line) => (
          <Timeline.Item key={`${line.when} ${line.who} ${line.did}`}>
            <Text>
              <b>{line.who}</b> {line.did} · <Time ms={line.when} />
            </Text>
            {line.words && <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{line.words}</Text>}
          </Timeline.Item>
        ))}
      </Timeline>
      {approval.notices.length > 0 && (
        <Table aria-label={text.notices}>
          <Table.Tbody>
            {approval.notices.map((notice) => (
              <Table.Tr key={`${notice.webhook} ${notice.event}`}>
                <Table.Td>{notice.webhook}</Table.Td>
                <Table.Td>{notice.event}</Table.Td>
                <Table.Td>{notice.state}</Table.Td>
                <Table.Td>{text.attempts(notice.attempts)}</Table.Td>
                <Table.Td>{notice.error}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
