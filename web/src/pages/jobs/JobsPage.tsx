import { Alert, Button, List } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { useConfirm } from "#/components/Confirm";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { SpanFilter, StateFilter, TextFilter } from "#/pages/calls/FilterBar";
import { kindOf } from "#/refusals/said";
import { duration } from "#/views";
import { ProgressBar } from "./Progress";
import { isOver, type JobEntry, jobsQuery } from "./queries";
import { JOB_STATES, type JobsSearch } from "./routes";
import { jobsTexts } from "./texts";

/** Long work: what runs, how far it is, what became of it. */
export function JobsPage() {
  const text = useTexts(jobsTexts);
  const scope = useScope();
  const search = useSearch({ from: "/shell/jobs" });
  const navigate = useNavigate({ from: "/jobs" });
  const jobs = useInfiniteQuery(jobsQuery(scope, search));
  useInvalidateOn("jobs", ["jobs", scope.game, scope.env]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = jobs.data?.pages.flatMap((page) => page.jobs) ?? [];
  const columns = useColumns();
  return (
    <div className="page-fill">
      <PageHeader title={text.title} />
      {jobs.isError && <ProblemBox error={jobs.error} again={() => void jobs.refetch()} />}
      {jobs.isPending && <Waiting />}
      {jobs.data && (
        <DataTable
          label={text.title}
          rows={rows}
          columns={columns}
          rowKey={(job) => job.job_id}
          onOpen={(job) => void navigate({ to: "/jobs/$jobId", params: { jobId: job.job_id } })}
          selection={{ chosen, onChange: setChosen }}
          toolbar={
            <>
              <Filters />
              <CancelChosen jobs={rows.filter((job) => chosen.has(job.job_id))} done={() => setChosen(new Set())} />
            </>
          }
          {...(jobs.hasNextPage && { loadMore: () => void jobs.fetchNextPage() })}
          empty={<EmptyState title={text.none} hint={text.noneHint} />}
        />
      )}
    </div>
  );
}

function Filters() {
  const text = useTexts(jobsTexts);
  const { fn, state, caller, agent, since } = useSearch({ from: "/shell/jobs" });
  const navigate = useNavigate({ from: "/jobs" });
  const choose = (change: { readonly [K in keyof JobsSearch]?: JobsSearch[K] | undefined }) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as JobsSearch, replace: true });
  return (
    <>
      <TextFilter label={text.filters.function} value={fn} onChange={(fn) => choose({ fn })} />
      <StateFilter
        label={text.columns.state}
        any={text.anyState}
        states={JOB_STATES}
        names={text.states}
        value={state}
        onChange={(state) => choose({ state })}
      />
      <TextFilter label={text.filters.caller} value={caller} width={110} onChange={(caller) => choose({ caller })} />
      <TextFilter label={text.filters.agent} value={agent} width={110} onChange={(agent) => choose({ agent })} />
      <SpanFilter value={since} onChange={(since) => choose({ since })} />
      {[fn, state, caller, agent, since].some(Boolean) && (
        <Button size="compact-xs" variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          {text.clear}
        </Button>
      )}
    </>
  );
}

/** Asks all that are chosen and have not ended to stop, and says of each that could not be asked why. */
function CancelChosen({ jobs, done }: { jobs: readonly JobEntry[]; done: () => void }) {
  const text = useTexts(jobsTexts);
  const confirm = useConfirm();
  const queries = useQueryClient();
  const open = jobs.filter((job) => !isOver(job.state));
  const cancel = useMutation({
    mutationFn: (ids: readonly string[]) => body(api.POST("/api/jobs/cancel", { body: { job_ids: [...ids] } })),
    onSuccess: () => {
      done();
      void queries.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  const ask = async () => {
    const functions = [...new Set(open.map((job) => job.function_id))].slice(0, 5).join(", ");
    const sure = await confirm({
      title: text.cancelMany(open.length),
      consequence: text.cancelManyConsequence(open.length, functions),
      act: text.cancelChosen(open.length),
      destructive: true,
    });
    if (sure) cancel.mutate(open.map((job) => job.job_id));
  };
  const refused = cancel.data?.jobs.filter((job) => job.error) ?? [];
  return (
    <>
      {jobs.length > 0 && (
        <Button
          size="compact-xs"
          color="red"
          variant="light"
          loading={cancel.isPending}
          disabled={open.length === 0}
          title={open.length === 0 ? text.noneUnfinished : undefined}
          onClick={() => void ask()}
        >
          {text.cancelChosen(open.length)}
        </Button>
      )}
      {cancel.isError && <ProblemBox error={cancel.error} />}
      {cancel.data && (
        <Alert
          color={refused.length ? "orange" : "green"}
          withCloseButton
          closeButtonLabel={text.clear}
          onClose={() => cancel.reset()}
          p={4}
          role="status"
        >
          {text.canceled(cancel.data.jobs.length - refused.length)}
          {refused.length > 0 && (
            <List size="xs">
              {refused.map((job) => (
                <List.Item key={job.job_id}>
                  {job.job_id}: {job.error}
                </List.Item>
              ))}
            </List>
          )}
        </Alert>
      )}
    </>
  );
}

function useColumns(): Column<JobEntry>[] {
  const text = useTexts(jobsTexts);
  const locale = useLocale();
  const language = useLanguage();
  const { columns } = text;
  return [
    {
      id: "time",
      header: columns.time,
      width: 100,
      value: (job) => job.created_ms,
      cell: (job) => <Time ms={job.created_ms} />,
    },
    { id: "function", header: columns.function, width: 180, mono: true, value: (job) => job.function_id },
    {
      id: "state",
      header: columns.state,
      width: 110,
      value: (job) => text.states[job.state],
      cell: (job) => <StateBadge state={job.state} label={text.states[job.state]} />,
    },
    {
      id: "progress",
      header: columns.progress,
      width: 130,
      value: (job) => job.progress,
      cell: (job) => <ProgressBar state={job.state} percent={job.progress} />,
    },
    { id: "caller", header: columns.caller, width: 120, value: (job) => job.caller },
    {
      id: "took",
      header: columns.took,
      width: 80,
      align: "right",
      value: (job) => (job.finished_ms ? job.finished_ms - job.created_ms : null),
      cell: (job) => (job.finished_ms ? duration(job.finished_ms - job.created_ms, locale) : ""),
    },
    { id: "instance", header: columns.instance, width: 110, mono: true, value: (job) => job.service_id },
    { id: "agent", header: columns.agent, width: 110, mono: true, hidden: true, value: (job) => job.agent_id },
    {
      id: "reason",
      header: columns.reason,
      width: 160,
      value: (job) => job.reason,
      cell: (job) => <span title={job.reason}>{kindOf(job.reason, language)?.title ?? job.reason}</span>,
    },
    { id: "id", header: columns.id, width: 220, mono: true, value: (job) => job.job_id },
  ];
}
