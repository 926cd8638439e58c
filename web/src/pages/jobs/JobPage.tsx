import { Alert, Anchor, Badge, Button, Grid, List, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useCallback } from "react";
import { api, body } from "#/api/client";
import { StateBadge } from "#/components/badges";
import { useConfirm } from "#/components/Confirm";
import { CopyField } from "#/components/CopyField";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time, useNow } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { Arguments } from "#/pages/calls/CallPage";
import { Answer } from "#/pages/calls/Outcome";
import { callQuery, functionQuery } from "#/pages/calls/queries";
import { RunAgain } from "#/pages/calls/RunAgain";
import { kindOf } from "#/refusals/said";
import { duration, Facts, LogView } from "#/views";
import { ProgressBar } from "./Progress";
import { isOver, type Job, jobQuery, nameOf } from "./queries";
import { type Story, useStory } from "./story";
import { jobsTexts } from "./texts";

/** One job, while it runs and after. */
export function JobPage() {
  const { jobId } = useParams({ from: "/shell/jobs/$jobId" });
  const text = useTexts(jobsTexts);
  const job = useQuery(jobQuery(jobId));
  if (job.isPending) return <Waiting />;
  if (!job.data)
    return (
      <>
        <PageHeader title={text.title} detail={jobId} />
        <ProblemBox error={job.error} again={() => void job.refetch()} />
      </>
    );
  // Another job has a story and a log of its own.
  return <Followed key={jobId} job={job.data} />;
}

function Followed({ job }: { job: Job }) {
  const text = useTexts(jobsTexts);
  const language = useLanguage();
  const queries = useQueryClient();
  const ended = useCallback(() => {
    void queries.invalidateQueries({ queryKey: jobQuery(job.job_id).queryKey });
  }, [queries, job.job_id]);
  const { story, log } = useStory(job.job_id, ended);
  const known = useQuery(functionQuery(job.function_id));
  const call = useQuery(callQuery(job.job_id));
  // The record says how it ended; until then the stream is ahead of it.
  const state = isOver(job.state) ? job.state : story.state || job.state;
  const progress = isOver(job.state) ? job.progress : Math.max(story.progress, job.progress);
  return (
    <>
      <PageHeader
        title={inLanguage(known.data?.displayName, language, job.function_id)}
        badges={
          <>
            <StateBadge state={state} label={nameOf(text.states, state)} />
            {job.archived && <Badge color="gray">{text.archived}</Badge>}
          </>
        }
        detail={
          <>
            {job.function_id} · {job.game_id} / {job.env} · {job.caller} · <Time ms={job.created_ms} />
          </>
        }
      >
        {!isOver(state) && <Cancel job={job} />}
        {call.data && <RunAgain call={call.data} />}
      </PageHeader>
      <Stack px="md" pb="xl" gap="lg">
        <Standing job={job} story={story} state={state} progress={progress} />
        <Section title={text.log}>
          <LogView
            lines={log.lines}
            dropped={log.dropped}
            label={`${job.job_id} ${text.log}`}
            live={!isOver(state)}
            height={isOver(state) && log.lines.length === 0 ? 34 : 300}
          />
        </Section>
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Section title={text.result}>
              <Result job={job} />
            </Section>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              {call.data && (
                <Section title={text.arguments}>
                  <Arguments call={call.data} />
                </Section>
              )}
              <Details job={job} />
            </Stack>
          </Grid.Col>
        </Grid>
      </Stack>
    </>
  );
}

function Standing({ job, story, state, progress }: { job: Job; story: Story; state: string; progress: number }) {
  const error = job.error || story.error;
  const reason = job.reason || story.reason;
  const kind = kindOf(reason, useLanguage());
  return (
    <Stack gap="xs" aria-live="polite">
      <ProgressBar state={state} percent={progress} />
      {story.doing && !isOver(state) && <Text style={{ overflowWrap: "anywhere" }}>{story.doing}</Text>}
      {state === "lost" && <Lost error={error} />}
      {error && state !== "lost" && (
        <Alert color={state === "failed" ? "red" : "gray"} title={kind?.title ?? reason} role="note">
          <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{error}</Text>
        </Alert>
      )}
    </Stack>
  );
}

function Lost({ error }: { error: string }) {
  const text = useTexts(jobsTexts);
  return (
    <Alert color="orange" title={text.lostTitle} role="note">
      <Text fw={600} style={{ overflowWrap: "anywhere" }}>
        {error}
      </Text>
      <Text>{text.lostHint}</Text>
      <List size="xs">
        {Object.values(text.lostChecks).map((check) => (
          <List.Item key={check}>{check}</List.Item>
        ))}
      </List>
      <Text>{text.lostBack}</Text>
    </Alert>
  );
}

function Result({ job }: { job: Job }) {
  const text = useTexts(jobsTexts);
  if (!isOver(job.state)) return <Text c="dimmed">{text.noResult}</Text>;
  const answer = job.payload_base64 ? { payload_base64: job.payload_base64 } : { payload: job.payload };
  const given = job.payload_base64 || (job.payload !== undefined && job.payload !== null);
  if (job.state !== "succeeded" && !given) return <Text c="dimmed">{text.endedWithout}</Text>;
  return <Answer functionId={job.function_id} answer={answer} />;
}

function Details({ job }: { job: Job }) {
  const text = useTexts(jobsTexts);
  const locale = useLocale();
  const over = job.finished_ms > 0;
  const now = useNow(over ? 0 : 1_000);
  return (
    <Section
      title={text.facts}
      acts={
        <Anchor component={Link} to={`/calls/${encodeURIComponent(job.job_id)}`}>
          {text.callRecord}
        </Anchor>
      }
    >
      <Facts
        facts={[
          [text.startedBy, job.caller],
          [text.since, <Time key="s" ms={job.created_ms} exact />],
          [text.ended, over && <Time key="e" ms={job.finished_ms} exact />],
          [text.tookLabel, duration(Math.max(0, (over ? job.finished_ms : now) - job.created_ms), locale)],
          [text.columns.instance, job.service_id],
          [text.columns.agent, job.agent_id],
          [text.columns.id, <CopyField key="i" value={job.job_id} label={text.columns.id} />],
        ]}
      />
    </Section>
  );
}

function Cancel({ job }: { job: Job }) {
  const text = useTexts(jobsTexts);
  const confirm = useConfirm();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => body(api.POST("/api/cancel_job", { body: { job_id: job.job_id } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const ask = async () => {
    const sure = await confirm({
      title: text.cancelTitle(job.function_id),
      consequence: text.cancelConsequence,
      act: text.cancel,
      destructive: true,
    });
    if (sure) cancel.mutate();
  };
  return (
    <>
      {cancel.isError && <ProblemBox error={cancel.error} />}
      {cancel.data && <Text role="status">{text.asked}</Text>}
      <Button color="red" variant="light" loading={cancel.isPending} onClick={() => void ask()}>
        {text.cancel}
      </Button>
    </>
  );
}
