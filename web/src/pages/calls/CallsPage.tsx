import { Button, Switch } from "@mantine/core";
import { IconArrowsDiff } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useScope } from "#/app/scope";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { kindOf } from "#/refusals/said";
import { CallBadge, standingOf } from "./CallBadge";
import { SpanFilter, StateFilter, TextFilter } from "./FilterBar";
import { type CallEntry, callsQuery } from "./queries";
import { CALL_STATES, type CallsSearch } from "./routes";
import { callsTexts } from "./texts";

/** Every call that was made, newest first. */
export function CallsPage() {
  const text = useTexts(callsTexts);
  const scope = useScope();
  const search = useSearch({ from: "/shell/calls" });
  const navigate = useNavigate({ from: "/calls" });
  const calls = useInfiniteQuery(callsQuery(scope, search));
  // Whoever has scrolled down looks at something: new calls would move it away.
  const live = search.live !== "off" && (calls.data?.pages.length ?? 1) === 1;
  useInvalidateOn(live ? "calls" : null, ["calls", scope.game, scope.env]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const columns = useColumns(!scope.game);
  const rows = calls.data?.pages.flatMap((page) => page.calls) ?? [];
  const [first, second] = [...chosen];
  const open = (callId: string, other?: string) =>
    void navigate({ to: "/calls/$callId", params: { callId }, search: other ? { with: other } : {} });
  return (
    <div className="page-fill">
      <PageHeader title={text.title}>
        <Switch
          label={text.live}
          title={text.liveHint}
          checked={search.live !== "off"}
          onChange={(event) => {
            const { live: _, ...others } = search;
            void navigate({ search: event.currentTarget.checked ? others : { ...others, live: "off" }, replace: true });
          }}
        />
      </PageHeader>
      {calls.isError && <ProblemBox error={calls.error} again={() => void calls.refetch()} />}
      {calls.isPending && <Waiting />}
      {calls.data && (
        <DataTable
          label={text.title}
          rows={rows}
          columns={columns}
          rowKey={(call) => call.call_id}
          onOpen={(call) => open(call.call_id)}
          selection={{ chosen, onChange: setChosen }}
          toolbar={
            <>
              <Filters />
              <Button
                size="compact-xs"
                variant="default"
                leftSection={<IconArrowsDiff size={12} aria-hidden />}
                title={text.compareHint}
                disabled={chosen.size !== 2}
                onClick={() => first && second && open(first, second)}
              >
                {text.compare}
              </Button>
            </>
          }
          {...(calls.hasNextPage && { loadMore: () => void calls.fetchNextPage() })}
          empty={<EmptyState title={text.none} hint={text.noneHint} />}
        />
      )}
    </div>
  );
}

function Filters() {
  const text = useTexts(callsTexts);
  const search = useSearch({ from: "/shell/calls" });
  const navigate = useNavigate({ from: "/calls" });
  const choose = (change: { readonly [K in keyof CallsSearch]?: CallsSearch[K] | undefined }) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as CallsSearch, replace: true });
  const { fn, state, caller, trace, key, again, since } = search;
  const any = [fn, state, caller, trace, key, again, since].some(Boolean);
  return (
    <>
      <TextFilter label={text.filters.function} value={fn} onChange={(fn) => choose({ fn })} />
      <StateFilter
        label={text.columns.state}
        any={text.anyState}
        states={CALL_STATES}
        names={text.states}
        value={state}
        onChange={(state) => choose({ state })}
      />
      <TextFilter label={text.filters.caller} value={caller} width={110} onChange={(caller) => choose({ caller })} />
      <TextFilter label={text.filters.trace} value={trace} width={110} onChange={(trace) => choose({ trace })} />
      {key && <TextFilter label={text.filters.key} value={key} onChange={(key) => choose({ key })} />}
      {again && <TextFilter label={text.filters.again} value={again} onChange={(again) => choose({ again })} />}
      <SpanFilter value={since} onChange={(since) => choose({ since })} />
      {any && (
        <Button size="compact-xs" variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          {text.clear}
        </Button>
      )}
    </>
  );
}

function useColumns(everywhere: boolean): Column<CallEntry>[] {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const { columns } = text;
  return [
    {
      id: "time",
      header: columns.time,
      width: 100,
      value: (call) => call.started_ms,
      cell: (call) => <Time ms={call.started_ms} />,
    },
    { id: "function", header: columns.function, width: 180, mono: true, value: (call) => call.function_id },
    {
      id: "state",
      header: columns.state,
      width: 150,
      value: (call) => text.states[standingOf(call)],
      cell: (call) => <CallBadge call={call} />,
    },
    { id: "caller", header: columns.caller, width: 120, value: (call) => call.caller },
    {
      id: "ms",
      header: columns.ms,
      width: 70,
      align: "right",
      value: (call) => (call.timings.server_us ? call.timings.server_us / 1_000 : null),
      cell: (call) => (call.timings.server_us ? (call.timings.server_us / 1_000).toFixed(1) : ""),
    },
    { id: "instance", header: columns.instance, width: 120, mono: true, value: (call) => call.service_id },
    {
      id: "reason",
      header: columns.reason,
      width: 160,
      value: (call) => call.reason,
      cell: (call) => <span title={call.reason}>{kindOf(call.reason, language)?.title ?? call.reason}</span>,
    },
    { id: "id", header: columns.id, width: 220, mono: true, value: (call) => call.call_id },
    {
      id: "scope",
      header: columns.scope,
      width: 120,
      hidden: !everywhere,
      value: (call) => `${call.game_id} / ${call.env}`,
    },
    { id: "trace", header: columns.trace, width: 220, mono: true, hidden: true, value: (call) => call.trace_id },
  ];
}
