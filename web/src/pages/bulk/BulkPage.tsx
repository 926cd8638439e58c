import { Alert, Anchor, Badge, Grid, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useCallback } from "react";
import { CopyField } from "#/components/CopyField";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn, useTopic } from "#/live";
import { Facts } from "#/views";
import { Acts, CanaryDone, Rerun } from "./Acts";
import { BulkBadge } from "./BulksPage";
import { Progress } from "./Progress";
import { type Bulk, bulkQuery, DRAFT, OVER, waits } from "./queries";
import { Rows } from "./Rows";
import { StartForm } from "./StartForm";
import { bulkTexts } from "./texts";

/** One bulk run: its check, its start, how it goes, and what became of every row. */
export function BulkPage() {
  const { bulkId } = useParams({ from: "/shell/bulk/$bulkId" });
  const text = useTexts(bulkTexts);
  const bulk = useQuery(bulkQuery(bulkId));
  useLiveBulk(bulkId);
  if (bulk.isPending) return <Waiting />;
  if (!bulk.data)
    return (
      <>
        <PageHeader title={text.title} detail={bulkId} />
        <ProblemBox error={bulk.error} again={() => void bulk.refetch()} />
      </>
    );
  return <Shown key={bulkId} bulk={bulk.data} />;
}

/** The stream has the whole picture four times a second: it is the answer, without asking. */
function useLiveBulk(bulkId: string) {
  const queries = useQueryClient();
  const onMessage = useCallback(
    ({ type, data }: { type: string; data: unknown }) => {
      const { queryKey } = bulkQuery(bulkId);
      if (type === "progress") queries.setQueryData(queryKey, data as Bulk);
      else void queries.invalidateQueries({ queryKey });
    },
    [queries, bulkId],
  );
  useTopic(`bulk:${bulkId}`, onMessage);
}

function Shown({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const waiting = waits(bulk);
  // What becomes of a request is no news of the run itself.
  useInvalidateOn(waiting ? "approvals" : null, bulkQuery(bulk.bulk_id).queryKey);
  return (
    <>
      <PageHeader
        title={bulk.name || bulk.function_id}
        badges={
          <>
            <BulkBadge bulk={bulk} />
            {bulk.dry_run && <Badge color="gray">{text.dryRun}</Badge>}
          </>
        }
        detail={
          <>
            {bulk.function_id} · {text.rowsOf(bulk.rows)} · {bulk.game_id} / {bulk.env} · {bulk.uploaded_by} ·{" "}
            <Time ms={bulk.created_ms} />
          </>
        }
      >
        <Acts bulk={bulk} />
      </PageHeader>
      <Stack px="md" pb="xl" gap="lg">
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, lg: 8 }}>
            <Stack gap="sm">
              {waiting && <WaitingForApproval approvalId={bulk.approval_id} />}
              {DRAFT.has(bulk.state) && <StartForm bulk={bulk} waiting={waiting} />}
              {!DRAFT.has(bulk.state) && <Progress bulk={bulk} />}
              {bulk.state === "canary_done" && <CanaryDone bulk={bulk} />}
              {(bulk.counts.unknown ?? 0) > 0 && (
                <Alert color="orange" title={text.unknownTitle(bulk.counts.unknown ?? 0)} role="note">
                  {text.unknownHint}
                </Alert>
              )}
              {OVER.has(bulk.state) && <Rerun bulk={bulk} />}
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 4 }}>
            <Details bulk={bulk} />
          </Grid.Col>
        </Grid>
        <Section title={text.preview}>
          <Rows bulk={bulk} />
        </Section>
      </Stack>
    </>
  );
}

function WaitingForApproval({ approvalId }: { approvalId: string }) {
  const text = useTexts(bulkTexts);
  return (
    <Alert color="yellow" title={text.waiting} role="note">
      <Text>{text.waitingHint}</Text>
      <Anchor component={Link} to={`/approvals/${encodeURIComponent(approvalId)}`}>
        {text.toApproval} →
      </Anchor>
    </Alert>
  );
}

function Details({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const { facts } = text;
  const begun = bulk.started_ms > 0;
  return (
    <Section title={text.details}>
      <Facts
        facts={[
          [facts.startedBy, bulk.started_by],
          [facts.started, begun && <Time key="s" ms={bulk.started_ms} exact />],
          [facts.finished, bulk.finished_ms > 0 && <Time key="f" ms={bulk.finished_ms} exact />],
          [facts.rate, begun && bulk.rate],
          [facts.concurrency, begun && bulk.concurrency],
          [facts.canary, begun && bulk.canary > 0 && bulk.canary],
          [
            facts.parent,
            bulk.parent_id && (
              <Anchor key="p" component={Link} to={`/bulk/${encodeURIComponent(bulk.parent_id)}`} ff="monospace">
                {bulk.parent_id}
              </Anchor>
            ),
          ],
          [
            facts.approval,
            bulk.approval_id && (
              <Anchor key="a" component={Link} to={`/approvals/${encodeURIComponent(bulk.approval_id)}`} ff="monospace">
                {bulk.approval_id}
              </Anchor>
            ),
          ],
          [facts.id, <CopyField key="i" value={bulk.bulk_id} label={facts.id} />],
          [
            facts.sha,
            <span key="h" className="mono">
              {bulk.sha256.slice(0, 16)}…
            </span>,
          ],
        ]}
      />
    </Section>
  );
}
