import { Anchor, Button, List, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { Dialog } from "#/components/Dialog";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Waiting } from "#/components/Waiting";
import { toJson } from "#/forms/exactJson";
import type { Language } from "#/i18n/language";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { CallLink } from "#/pages/calls/CallPage";
import { StateFilter } from "#/pages/calls/FilterBar";
import { JsonView } from "#/views";
import { type Bulk, OVER, type Row, rowsQuery } from "./queries";
import { ROW_STATES } from "./routes";
import { failureOf, faultOf } from "./said";
import { bulkTexts } from "./texts";

const FOLLOWED_PAGES = 3;

/** Every row: what is sent, what fits not, what came back. */
export function Rows({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const { rows: state } = useSearch({ from: "/shell/bulk/$bulkId" });
  const navigate = useNavigate({ from: "/bulk/$bulkId" });
  const query = rowsQuery(bulk.bulk_id, state);
  const rows = useInfiniteQuery(query);
  // Of a long list only what changes by the page is asked again: whoever reads on has it as it was.
  const followed = !OVER.has(bulk.state) && (rows.data?.pages.length ?? 0) <= FOLLOWED_PAGES;
  useInvalidateOn(followed ? `bulk:${bulk.bulk_id}` : null, ["bulk", "rows", bulk.bulk_id]);
  const [open, setOpen] = useState<Row | null>(null);
  const columns = useColumns();
  if (rows.isPending) return <Waiting />;
  if (rows.isError && !rows.data) return <ProblemBox error={rows.error} again={() => void rows.refetch()} />;
  return (
    <>
      <DataTable
        label={text.preview}
        rows={rows.data?.pages.flatMap((page) => page.rows) ?? []}
        columns={columns}
        rowKey={(row) => String(row.row)}
        onOpen={setOpen}
        maxHeight={560}
        toolbar={
          <>
            <StateFilter
              label={text.columns.state}
              any={text.allRows}
              states={ROW_STATES}
              names={text.rowStates}
              value={state}
              onChange={(rows) => void navigate({ search: rows ? { rows } : {}, replace: true })}
            />
            <Button
              component="a"
              href={`/api/bulk/${encodeURIComponent(bulk.bulk_id)}/rows.csv`}
              download={`${bulk.bulk_id}.csv`}
              size="compact-xs"
              variant="default"
              leftSection={<IconDownload size={12} aria-hidden />}
            >
              {text.saveRows}
            </Button>
          </>
        }
        {...(rows.hasNextPage && { loadMore: () => void rows.fetchNextPage() })}
        empty={<EmptyState title={text.noRows} />}
      />
      <Dialog opened={open !== null} onClose={() => setOpen(null)} title={open && text.rowTitle(open.row)} size="xl">
        {open && <Whole row={open} />}
      </Dialog>
    </>
  );
}

const SHOWN_AS: Readonly<Record<string, string>> = {
  pending: "disabled",
  unknown: "outcome_unknown",
  invalid: "partial",
  skipped: "disabled",
};

function useColumns(): Column<Row>[] {
  const text = useTexts(bulkTexts);
  const language = useLanguage();
  const { columns } = text;
  return [
    { id: "row", header: columns.row, width: 60, align: "right", value: (row) => row.row },
    { id: "line", header: columns.line, width: 70, align: "right", value: (row) => row.line },
    {
      id: "state",
      header: columns.state,
      width: 120,
      value: (row) => text.rowStates[row.state],
      cell: (row) => <StateBadge state={SHOWN_AS[row.state] ?? row.state} label={text.rowStates[row.state]} />,
    },
    { id: "arguments", header: columns.arguments, width: 300, mono: true, value: (row) => toJson(row.arguments) },
    { id: "told", header: columns.told, width: 300, value: (row) => told(row, language) },
    { id: "instance", header: columns.instance, width: 100, mono: true, hidden: true, value: (row) => row.service_id },
    {
      id: "ms",
      header: columns.ms,
      width: 70,
      align: "right",
      value: (row) => (row.finished_ms && row.started_ms ? row.finished_ms - row.started_ms : null),
    },
    {
      id: "call",
      header: columns.call,
      width: 200,
      mono: true,
      value: (row) => row.call_id,
      cell: (row) => row.call_id && <CallLink id={row.call_id} />,
    },
  ];
}

function told(row: Row, language: Language): string {
  if (row.errors.length > 0)
    return row.errors.map((fault) => `${fault.path} ${faultOf(fault, language)}`.trim()).join("; ");
  if (row.message || row.reason) return failureOf(row, language);
  return row.result === undefined || row.result === null ? "" : toJson(row.result);
}

function Whole({ row }: { row: Row }) {
  const text = useTexts(bulkTexts);
  const language = useLanguage();
  return (
    <Stack gap="md">
      {row.errors.length > 0 && (
        <Section title={text.faults}>
          <List size="xs">
            {row.errors.map((fault) => (
              <List.Item key={`${fault.path} ${fault.message}`}>
                <span className="mono">{fault.path || "/"}</span> {faultOf(fault, language)}
              </List.Item>
            ))}
          </List>
        </Section>
      )}
      {(row.message || row.reason) && (
        <Text c="red" style={{ overflowWrap: "anywhere" }}>
          {failureOf(row, language)}
        </Text>
      )}
      <Section title={text.columns.arguments}>
        <JsonView value={row.arguments} />
      </Section>
      {row.result !== undefined && row.result !== null && (
        <Section title={text.result}>
          <JsonView value={row.result} />
        </Section>
      )}
      {row.call_id && (
        <Anchor component="span">
          <CallLink id={row.call_id} />
        </Anchor>
      )}
    </Stack>
  );
}
