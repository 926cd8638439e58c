import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { components } from "#/api/schema";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useOriginText } from "#/pages/registry/Origins";
import { conflictsQuery, faultsQuery } from "./queries";
import { packTexts } from "./texts";

type CatalogFault = components["schemas"]["FaultDocument"];
type Conflict = components["schemas"]["ConflictDocument"];

/** What the catalog leaves out, with the file and the place in it. */
export function FaultsTab() {
  const text = useTexts(packTexts);
  const faults = useQuery(faultsQuery);
  const columns = useFaultColumns();
  if (faults.isError) return <ProblemBox error={faults.error} again={() => void faults.refetch()} />;
  if (!faults.data) return <Waiting />;
  const rows = faults.data.map((fault, place) => ({ ...fault, place }));
  return (
    <Stack gap={4}>
      {rows.length > 0 && (
        <Text c="dimmed" px="md" pt={6}>
          {text.faultsHint}
        </Text>
      )}
      <DataTable
        label={text.faults}
        rows={rows}
        columns={columns}
        rowKey={({ place }) => String(place)}
        empty={<EmptyState title={text.noFaults} />}
      />
    </Stack>
  );
}

function useFaultColumns(): Column<CatalogFault>[] {
  const text = useTexts(packTexts);
  const language = useLanguage();
  const originText = useOriginText();
  return [
    { id: "origin", header: text.origin, width: 160, value: ({ origin }) => originText(origin) },
    { id: "file", header: text.file, width: 220, mono: true, value: ({ file }) => file },
    { id: "path", header: text.path, width: 180, mono: true, value: ({ path }) => path },
    { id: "message", header: text.message, width: 420, value: ({ message }) => inLanguage(message, language) },
    {
      id: "scope",
      header: text.scope,
      width: 110,
      value: ({ scope }) => (scope ? scope.replace("|", " / ") : text.everywhere),
    },
  ];
}

/** What several describe, and whose word counts. */
export function ConflictsTab() {
  const text = useTexts(packTexts);
  const conflicts = useQuery(conflictsQuery);
  const columns = useConflictColumns();
  if (conflicts.isError) return <ProblemBox error={conflicts.error} again={() => void conflicts.refetch()} />;
  if (!conflicts.data) return <Waiting />;
  return (
    <Stack gap={4}>
      {conflicts.data.length > 0 && (
        <Text c="dimmed" px="md" pt={6}>
          {text.conflictsHint}
        </Text>
      )}
      <DataTable
        label={text.tabs.conflicts}
        rows={conflicts.data}
        columns={columns}
        rowKey={({ kind, id }) => `${kind} ${id}`}
        empty={<EmptyState title={text.noConflicts} />}
      />
    </Stack>
  );
}

function useConflictColumns(): Column<Conflict>[] {
  const text = useTexts(packTexts);
  const originText = useOriginText();
  const first = ({ origins }: Conflict) => (origins[0] ? originText(origins[0]) : "");
  const others = ({ origins }: Conflict) => origins.slice(1).map(originText).join(", ");
  return [
    { id: "id", header: text.id, width: 220, mono: true, value: ({ id }) => id },
    { id: "kind", header: text.kind, width: 100, value: ({ kind }) => kind },
    { id: "counts", header: text.counts1, width: 220, value: first },
    { id: "others", header: text.leftOut, width: 320, value: others },
  ];
}
