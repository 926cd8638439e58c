import { Alert, Anchor, Button, Group, Progress, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, body } from "#/api/client";
import { StateBadge } from "#/components/badges";
import { ProblemBox } from "#/components/ProblemBox";
import type { FunctionSheet } from "#/functions/functions";
import { useTexts } from "#/i18n/texts";
import { LogView } from "#/views";
import { workbenchTexts } from "../texts";
import { ResultOf } from "./RunView";
import { ENDED, type FollowedJob, useJob } from "./useJob";

/** A job while it goes on: how far it is, what it says, how it ends. */
export function JobView({ jobId, sheet }: { jobId: string; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const { job, log } = useJob(jobId);
  const ended = ENDED.has(job.state);
  if (job.denied) {
    return (
      <Alert color="orange" title={text.jobDenied}>
        {job.denied}
      </Alert>
    );
  }
  return (
    <>
      <Group gap={8} mb={6}>
        <StateBadge state={job.state} label={text.jobState[job.state]} />
        <Anchor component={Link} to={`/jobs/${jobId}`} className="mono" title={text.openJob}>
          {jobId}
        </Anchor>
        {!ended && <CancelButton jobId={jobId} />}
      </Group>
      {!ended && <Ongoing job={job} />}
      {job.error && (
        <Alert role="alert" color={job.state === "canceled" ? "gray" : "red"} title={text.jobState[job.state]} mb="xs">
          <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{job.error}</Text>
          {job.reason && <Text c="dimmed">{job.reason}</Text>}
        </Alert>
      )}
      {job.payload !== undefined && <ResultOf value={job.payload} sheet={sheet} />}
      {(log.lines.length > 0 || !ended) && (
        <section aria-label={text.log}>
          <Text fw={600} mt="sm" mb={4}>
            {text.log}
          </Text>
          <LogView lines={log.lines} dropped={log.dropped} label={text.log} live={!ended} height={260} />
        </section>
      )}
    </>
  );
}

function Ongoing({ job }: { job: FollowedJob }) {
  const text = useTexts(workbenchTexts);
  return (
    <Group gap={8} mb={6} wrap="nowrap">
      <Progress
        value={job.progress}
        aria-label={text.jobState[job.state]}
        style={{ flex: 1 }}
        size="sm"
        transitionDuration={200}
      />
      <span className="mono">{job.progress}%</span>
      {job.message && <Text truncate>{job.message}</Text>}
    </Group>
  );
}

function CancelButton({ jobId }: { jobId: string }) {
  const text = useTexts(workbenchTexts);
  const cancel = useMutation({
    mutationFn: () => body(api.POST("/api/cancel_job", { body: { job_id: jobId, reason: "" } })),
  });
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={cancel.isPending}
        disabled={cancel.isSuccess}
        onClick={() => cancel.mutate()}
      >
        {cancel.isSuccess ? text.cancelAsked : text.cancelJob}
      </Button>
      {cancel.error && <ProblemBox error={cancel.error} />}
    </>
  );
}
