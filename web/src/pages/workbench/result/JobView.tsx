import { Alert, Anchor, Button, Group, Progress, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, body } from "#/api/client";
import { StateBadge } from "#/components/badges";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import type { FunctionSheet } from "#/functions/functions";
import { useTexts } from "#/i18n/texts";
import { isOver, nameOf } from "#/pages/jobs/queries";
import { type Story, useStory } from "#/pages/jobs/story";
import { jobsTexts } from "#/pages/jobs/texts";
import { LogView } from "#/views";
import { workbenchTexts } from "../texts";
import { ResultOf } from "./RunView";

/** A job while it goes on: how far it is, what it says, how it ends. */
export function JobView({ jobId, sheet }: { jobId: string; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const { story: job, log } = useStory(jobId);
  const state = job.state || "pending";
  const ended = isOver(state);
  const name = nameOf(text.jobState, state);
  if (job.denied) {
    return (
      <Alert color="orange" title={text.jobDenied}>
        {job.denied}
      </Alert>
    );
  }
  return (
    <>
      <Group gap={8} mb={6} role="status">
        <StateBadge state={state} label={name} />
        <Anchor component={Link} to={`/jobs/${jobId}`} className="mono" title={text.openJob}>
          {jobId}
        </Anchor>
        {!ended && <CancelButton jobId={jobId} name={sheet.function.id} />}
      </Group>
      {!ended && <Ongoing job={job} label={name} />}
      {job.error && (
        <Alert
          role="alert"
          color={state === "canceled" ? "gray" : state === "lost" ? "orange" : "red"}
          title={name}
          mb="xs"
        >
          <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{job.error}</Text>
        </Alert>
      )}
      {job.payload !== undefined && <ResultOf value={job.payload} sheet={sheet} />}
      {(log.lines.length > 0 || !ended) && (
        <>
          <Title order={2} mt="sm" mb={4}>
            {text.log}
          </Title>
          <LogView lines={log.lines} dropped={log.dropped} label={text.log} live={!ended} height={260} />
        </>
      )}
    </>
  );
}

function Ongoing({ job, label }: { job: Story; label: string }) {
  return (
    <Group gap={8} mb={6} wrap="nowrap">
      <Progress value={job.progress} aria-label={label} style={{ flex: 1 }} size="sm" transitionDuration={200} />
      <span className="mono">{job.progress}%</span>
      {job.doing && <Text truncate>{job.doing}</Text>}
    </Group>
  );
}

function CancelButton({ jobId, name }: { jobId: string; name: string }) {
  const text = useTexts(workbenchTexts);
  const words = useTexts(jobsTexts);
  const confirm = useConfirm();
  const cancel = useMutation({
    mutationFn: () => body(api.POST("/api/cancel_job", { body: { job_id: jobId, reason: "" } })),
  });
  const ask = async () => {
    const question = { title: words.cancelTitle(name), consequence: words.cancelConsequence, act: words.cancel };
    if (await confirm({ ...question, destructive: true })) cancel.mutate();
  };
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={cancel.isPending}
        disabled={cancel.isSuccess}
        onClick={() => void ask()}
      >
        {cancel.isSuccess ? text.cancelAsked : text.cancelJob}
      </Button>
      {cancel.error && <ProblemBox error={cancel.error} />}
    </>
  );
}
