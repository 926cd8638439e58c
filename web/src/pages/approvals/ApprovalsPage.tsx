import { Badge, SegmentedControl, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { agreement, approvalsQuery, type Entry, scopeOf } from "./queries";
import { type ApprovalsSearch, TABS } from "./routes";
import { approvalTexts } from "./texts";

/** What waits for somebody's agreement, and what became of it. */
export function ApprovalsPage() {
  const text = useTexts(approvalTexts);
  const scope = useScope();
  const { tab = "waiting", fn = "" } = useSearch({ from: "/shell/approvals" });
  const navigate = useNavigate({ from: "/approvals" });
  const query = approvalsQuery(scope, tab, fn);
  const approvals = useInfiniteQuery(query);
  useInvalidateOn("approvals", ["approvals"]);
  const columns = useColumns();
  const choose = (change: ApprovalsSearch) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const rows = approvals.data?.pages.flatMap((page) => page.approvals) ?? [];
  const toolbar = (
    <>
      <SegmentedControl
        aria-label={text.title}
        value={tab}
        onChange={(value) => choose({ tab: value as (typeof TABS)[number] })}
        data={TABS.map((tab) => ({ value: tab, label: text.tabs[tab] }))}
      />
      <TextInput
        aria-label={text.filterFunction}
        placeholder={text.filterFunction}
        defaultValue={fn}
        key={fn}
        onBlur={(event) => choose({ fn: event.currentTarget.value.trim() })}
        onKeyDown={(event) => event.key === "Enter" && choose({ fn: event.currentTarget.value.trim() })}
      />
    </>
  );
  return (
    <>
      <PageHeader title={text.title} />
      {approvals.isError && <ProblemBox error={approvals.error} again={() => void approvals.refetch()} />}
      {approvals.isPending && <Waiting />}
      {approvals.data && (
        <DataTable
          label={text.title}
          rows={rows}
          columns={columns}
          rowKey={(entry) => entry.approval_id}
          toolbar={toolbar}
          onOpen={(entry) => void navigate({ to: "/approvals/$approvalId", params: { approvalId: entry.approval_id } })}
          {...(approvals.hasNextPage && { loadMore: () => void approvals.fetchNextPage() })}
          empty={<EmptyState title={text.none[tab]} hint={text.noneHint} />}
        />
      )}
    </>
  );
}

function useColumns(): Column<Entry>[] {
  const text = useTexts(approvalTexts);
  return [
    {
      id: "function",
      header: text.columns.function,
      width: 170,
      mono: true,
      value: (entry) => entry.function_id,
      cell: (entry) => (
        <>
          {entry.function_id}{" "}
          {entry.kind !== "invoke" && (
            <Badge color="gray" size="xs">
              {text.kinds[entry.kind]}
            </Badge>
          )}{" "}
          {entry.break_glass && (
            <Badge color="red" size="xs">
              {text.breakGlass}
            </Badge>
          )}
        </>
      ),
    },
    {
      id: "state",
      header: text.columns.state,
      width: 110,
      value: (entry) => text.states[entry.state],
      cell: (entry) => <StateBadge state={entry.state} label={text.states[entry.state]} />,
    },
    {
      id: "agreed",
      header: text.columns.agreed,
      width: 70,
      align: "right",
      value: (entry) => {
        const { agreed, threshold } = agreement(entry);
        return text.of(agreed, threshold);
      },
    },
    { id: "scope", header: text.columns.scope, width: 120, value: scopeOf },
    { id: "requester", header: text.columns.requester, width: 120, value: (entry) => entry.requester },
    { id: "reason", header: text.columns.reason, width: 240, value: (entry) => entry.reason },
    { id: "ticket", header: text.columns.ticket, width: 90, value: (entry) => entry.ticket },
    {
      id: "asked",
      header: text.columns.asked,
      width: 100,
      value: (entry) => entry.created_ms,
      cell: (entry) => <Time ms={entry.created_ms} />,
    },
    {
      id: "expires",
      header: text.columns.expires,
      width: 100,
      value: (entry) => entry.expires_ms,
      cell: (entry) => (entry.state === "pending" ? <Time ms={entry.expires_ms} /> : ""),
    },
  ];
}
