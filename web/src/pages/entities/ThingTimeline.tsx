import { Switch } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { type Entity, type TimelineEntry, timelineQuery } from "./queries";
import { entityTexts } from "./texts";

/** What was done to it, and by whom. */
export function ThingTimeline({ entity, id }: { entity: Entity; id: string }) {
  const text = useTexts(entityTexts);
  const scope = useScope();
  const { queries } = useSearch({ from: "/shell/entities/$type/$id" });
  const navigate = useNavigate({ from: "/entities/$type/$id" });
  const timeline = useInfiniteQuery(timelineQuery(scope, entity.type, id, queries === "yes"));
  // Whoever has loaded more looks at something: it is not asked for again under their eyes.
  const live = (timeline.data?.pages.length ?? 1) === 1;
  useInvalidateOn(live ? "calls" : null, ["entities", "timeline"]);
  const columns = useColumns();
  const rows = timeline.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Section
      title={text.timeline}
      hint={text.timelineHint}
      acts={
        <Switch
          label={text.withQueries}
          checked={queries === "yes"}
          onChange={(event) => {
            const queries = event.currentTarget.checked ? "yes" : "";
            void navigate({ search: (now) => ({ ...now, queries }), replace: true });
          }}
        />
      }
    >
      {timeline.isError && <ProblemBox error={timeline.error} again={() => void timeline.refetch()} />}
      {timeline.isPending && <Waiting rows={4} />}
      {timeline.data && (
        <DataTable
          label={text.timeline}
          rows={rows}
          columns={columns}
          rowKey={(entry) => entry.call_id}
          maxHeight={420}
          onOpen={({ kind, call_id: callId }) => {
            if (kind === "job") void navigate({ to: "/jobs/$jobId", params: { jobId: callId }, search: {} });
            else void navigate({ to: "/calls/$callId", params: { callId }, search: {} });
          }}
          {...(timeline.hasNextPage && { loadMore: () => void timeline.fetchNextPage() })}
          empty={<EmptyState title={text.noTimeline} />}
        />
      )}
    </Section>
  );
}

function useColumns(): Column<TimelineEntry>[] {
  const text = useTexts(entityTexts);
  const stateName = ({ state }: TimelineEntry) => (text.states as Record<string, string>)[state] ?? state;
  return [
    {
      id: "time",
      header: text.time,
      width: 110,
      value: (entry) => entry.started_ms,
      cell: (entry) => <Time ms={entry.started_ms} />,
    },
    { id: "function", header: text.function, width: 180, mono: true, value: (entry) => entry.function_id },
    { id: "caller", header: text.caller, width: 130, value: (entry) => entry.caller },
    {
      id: "state",
      header: text.state,
      width: 130,
      value: stateName,
      cell: (entry) => <StateBadge state={entry.state} label={stateName(entry)} />,
    },
    { id: "message", header: text.message, width: 280, value: (entry) => entry.error || entry.reason },
  ];
}
