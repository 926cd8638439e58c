import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { may, meQuery } from "#/api/session";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { ChainCheck } from "./ChainCheck";
import { Filters } from "./Filters";
import { exportAddress, type Row, rowsQuery } from "./queries";
import { RowDetail } from "./RowDetail";
import type { AuditSearch } from "./routes";
import { auditTexts, resultIn } from "./texts";
import "./audit.css";

/** Who did what, where and when, and whether the record holds. */
export function AuditPage() {
  const text = useTexts(auditTexts);
  const scope = useScope();
  const search = useSearch({ from: "/shell/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const change = (change: AuditSearch) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as never, replace: true });
  const found = useInfiniteQuery(rowsQuery(scope, search));
  const columns = useColumns();
  const rows = found.data?.pages.flatMap((page) => page.rows) ?? [];
  const open = rows.find((row) => String(row.seq) === search.row);
  return (
    <>
      <PageHeader title={text.title}>
        <ChainCheck />
        <Export search={search} />
      </PageHeader>
      <Filters search={search} onChange={change} />
      {found.isError && <ProblemBox error={found.error} again={() => void found.refetch()} />}
      {found.isPending && <Waiting />}
      {found.data && (
        <div className="audit-panes" data-open={open ? true : undefined}>
          <DataTable
            label={text.title}
            rows={rows}
            columns={columns}
            rowKey={(row) => String(row.seq)}
            selected={search.row}
            onOpen={(row) => change({ row: String(row.seq) })}
            {...(found.hasNextPage && { loadMore: () => void found.fetchNextPage() })}
            empty={<EmptyState title={text.none} hint={text.noneHint} />}
          />
          {open && (
            <RowDetail row={open} close={() => change({ row: "" })} onAct={(text) => change({ text, row: "" })} />
          )}
        </div>
      )}
    </>
  );
}

function Export({ search }: { search: AuditSearch }) {
  const text = useTexts(auditTexts);
  const scope = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  if (!may(me, "audit:export")) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />}>
          {text.export}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={exportAddress(scope, search, "jsonl")} download>
          {text.exportProof}
        </Menu.Item>
        <Menu.Item component="a" href={exportAddress(scope, search, "csv")} download>
          {text.exportSheet}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function useColumns(): Column<Row>[] {
  const text = useTexts(auditTexts);
  return [
    { id: "seq", header: text.columns.seq, width: 70, align: "right", mono: true, value: (row) => row.seq },
    {
      id: "time",
      header: text.columns.time,
      width: 150,
      value: (row) => row.time,
      cell: (row) => <Time ms={row.time_ms} exact />,
    },
    { id: "who", header: text.columns.who, width: 120, value: (row) => row.actor.name },
    { id: "action", header: text.columns.action, width: 140, mono: true, value: (row) => row.action },
    { id: "target", header: text.columns.target, width: 160, mono: true, value: (row) => row.target },
    {
      id: "scope",
      header: text.columns.scope,
      width: 100,
      value: (row) => [row.game_id, row.env].filter(Boolean).join(" / "),
    },
    { id: "phase", header: text.columns.phase, width: 60, value: (row) => text.phases[row.phase] },
    {
      id: "result",
      header: text.columns.result,
      width: 110,
      value: (row) => row.result,
      cell: (row) => row.result && <StateBadge state={row.result} label={resultIn(text.results, row.result)} />,
    },
    { id: "reason", header: text.columns.reason, width: 220, value: (row) => row.reason },
    { id: "address", header: text.columns.address, width: 110, mono: true, hidden: true, value: (row) => row.address },
  ];
}
