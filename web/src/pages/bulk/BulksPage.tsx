import { Badge, Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
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
import { StateFilter } from "#/pages/calls/FilterBar";
import { type BulkEntry, bulksQuery, waits } from "./queries";
import { BULK_STATES } from "./routes";
import { bulkTexts } from "./texts";

type Text = ReturnType<typeof useTexts<typeof bulkTexts.en>>;

/** Functions that run once for every row of a file. */
export function BulksPage() {
  const text = useTexts(bulkTexts);
  const scope = useScope();
  const { state } = useSearch({ from: "/shell/bulk" });
  const navigate = useNavigate({ from: "/bulk" });
  const bulks = useQuery(bulksQuery(scope, state));
  useInvalidateOn("bulk", ["bulk", "list"]);
  useInvalidateOn("approvals", ["bulk", "list"]);
  const columns = useColumns();
  const begin = (
    <Button component={Link} to="/bulk/new" leftSection={<IconPlus size={14} aria-hidden />}>
      {text.upload}
    </Button>
  );
  return (
    <div className="page-fill">
      <PageHeader title={text.title}>{begin}</PageHeader>
      {bulks.isError && <ProblemBox error={bulks.error} again={() => void bulks.refetch()} />}
      {bulks.isPending && <Waiting />}
      {bulks.data && (
        <DataTable
          label={text.title}
          rows={bulks.data.bulks}
          columns={columns}
          rowKey={(bulk) => bulk.bulk_id}
          onOpen={(bulk) => void navigate({ to: "/bulk/$bulkId", params: { bulkId: bulk.bulk_id } })}
          toolbar={
            <StateFilter
              label={text.columns.state}
              any={text.anyState}
              states={BULK_STATES}
              names={text.states}
              value={state}
              onChange={(state) => void navigate({ search: state ? { state } : {}, replace: true })}
            />
          }
          empty={<EmptyState title={text.none} hint={text.noneHint} />}
        />
      )}
    </div>
  );
}

function useColumns(): Column<BulkEntry>[] {
  const text = useTexts(bulkTexts);
  const { columns } = text;
  return [
    {
      id: "created",
      header: columns.created,
      width: 100,
      value: (bulk) => bulk.created_ms,
      cell: (bulk) => <Time ms={bulk.created_ms} />,
    },
    { id: "name", header: columns.name, width: 180, value: (bulk) => bulk.name },
    { id: "function", header: columns.function, width: 160, mono: true, value: (bulk) => bulk.function_id },
    {
      id: "state",
      header: columns.state,
      width: 150,
      value: (bulk) => labelOf(bulk, text),
      cell: (bulk) => (
        <>
          <BulkBadge bulk={bulk} />{" "}
          {bulk.dry_run && (
            <Badge color="gray" size="xs">
              {text.dryRun}
            </Badge>
          )}
        </>
      ),
    },
    { id: "rows", header: columns.rows, width: 80, align: "right", value: (bulk) => bulk.rows },
    { id: "invalid", header: columns.invalid, width: 80, align: "right", value: (bulk) => bulk.invalid || null },
    { id: "by", header: columns.by, width: 120, value: (bulk) => bulk.started_by || bulk.uploaded_by },
    { id: "id", header: columns.id, width: 220, mono: true, value: (bulk) => bulk.bulk_id },
  ];
}

const SHOWN_AS: Readonly<Record<string, string>> = {
  ready: "enabled",
  invalid: "partial",
  canary_done: "canary",
  canceling: "draining",
  done: "succeeded",
};

type Stands = Pick<BulkEntry, "state" | "approval_id">;

/** How a bulk run stands; one that waits for an approval is ready for itself, but not for whoever looks at it. */
export function BulkBadge({ bulk }: { bulk: Stands }) {
  const text = useTexts(bulkTexts);
  const state = waits(bulk) ? "waiting" : (SHOWN_AS[bulk.state] ?? bulk.state);
  return <StateBadge state={state} label={labelOf(bulk, text)} />;
}

function labelOf(bulk: Stands, text: Text): string {
  return waits(bulk) ? text.waiting : text.states[bulk.state];
}
