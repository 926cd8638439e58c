import { Button, SegmentedControl, Switch, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { HealthDot, StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { useTexts } from "#/i18n/texts";
import { byPrefix, type CoverageRow, isIn, placesOf, rowsOf, shownOf } from "./coverage";
import type { Registry } from "./queries";
import { SHOWN } from "./routes";
import { registryTexts } from "./texts";

const COLORS = { uncovered: "failed", partial: "partial", covered: "ok" };

/** Functions by games and environments: how many of their game servers can take a call. */
export function CoverageTab({ registry }: { registry: Registry }) {
  const text = useTexts(registryTexts);
  const { where = "", show = "all", by, prefix = "" } = useSearch({ from: "/shell/registry" });
  const navigate = useNavigate({ from: "/registry" });
  const grouped = by === "prefix" && !prefix;
  const all = rowsOf(registry, where);
  const shown = shownOf(all, show, prefix);
  const columns = useColumns(placesOf(registry, where), grouped);
  const open = ({ id }: CoverageRow) => {
    if (grouped) void navigate({ search: (now) => ({ ...now, prefix: id }) });
    else void navigate({ to: "/registry/$fn", params: { fn: id }, search: {} });
  };
  return (
    <>
      <Unlisted registry={registry} where={where} />
      <DataTable
        key={grouped ? "prefixes" : "functions"}
        label={grouped ? text.prefix : text.function}
        rows={grouped ? byPrefix(shown) : shown}
        columns={columns}
        rowKey={(row) => row.id}
        onOpen={open}
        toolbar={<Filters />}
        empty={
          all.length === 0 ? (
            <EmptyState title={text.nothing} hint={text.nothingHint} />
          ) : (
            <EmptyState title={text.nothingLeft} />
          )
        }
      />
    </>
  );
}

function Filters() {
  const text = useTexts(registryTexts);
  const { show = "all", by, prefix } = useSearch({ from: "/shell/registry" });
  const navigate = useNavigate({ from: "/registry" });
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label={text.show}
        value={show}
        data={SHOWN.map((value) => ({ value, label: text.shown[value] }))}
        onChange={(value) => {
          const show = SHOWN.find((show) => show === value) ?? "all";
          void navigate({ search: (now) => ({ ...now, show }), replace: true });
        }}
      />
      <Switch
        label={text.group}
        checked={by === "prefix"}
        onChange={(event) => {
          const by = event.currentTarget.checked ? "prefix" : "";
          void navigate({ search: (now) => ({ ...now, by, prefix: "" }), replace: true });
        }}
      />
      {prefix && (
        <Button
          size="compact-xs"
          variant="light"
          aria-label={`${text.onlyPrefix(prefix)} ${text.anyPrefix}`}
          rightSection={<IconX size={12} aria-hidden />}
          onClick={() => void navigate({ search: (now) => ({ ...now, prefix: "" }) })}
        >
          {text.onlyPrefix(prefix)}
        </Button>
      )}
    </>
  );
}

/** The server names the first thousand of a scope. */
function Unlisted({ registry, where }: { registry: Registry; where: string }) {
  const text = useTexts(registryTexts);
  const cut = (registry.coverage ?? []).filter(
    ({ game_env, uncovered = [], uncovered_count = 0 }) => isIn(where, game_env) && uncovered_count > uncovered.length,
  );
  return cut.map(({ game_env, uncovered = [], uncovered_count = 0 }) => (
    <Text key={game_env} c="dimmed" px="md" pt={4}>
      {text.more(game_env.replace("|", " / "), uncovered_count - uncovered.length)}
    </Text>
  ));
}

function useColumns(places: readonly string[], grouped: boolean): Column<CoverageRow>[] {
  const text = useTexts(registryTexts);
  const count: Column<CoverageRow> = {
    id: "functions",
    header: text.functions,
    width: 80,
    align: "right",
    value: (row) => row.functions,
  };
  return [
    { id: "function", header: grouped ? text.prefix : text.function, width: 240, mono: true, value: (row) => row.id },
    ...(grouped ? [count] : []),
    {
      id: "standing",
      header: text.standing,
      width: 110,
      value: (row) => text.standings[row.standing],
      cell: (row) => <StateBadge state={COLORS[row.standing]} label={text.standings[row.standing]} />,
    },
    ...places.map((place): Column<CoverageRow> => {
      const told = grouped ? text.groupCell : text.cell;
      return {
        id: place,
        header: place.replace("|", " / "),
        width: 110,
        // Sorted by the share that is healthy: what is offered by nobody at all comes first.
        value: (row) => shareOf(row, place),
        cell: (row) => <CoverageCell row={row} place={place} told={told} />,
      };
    }),
  ];
}

function shareOf(row: CoverageRow, place: string): number | null {
  const cell = row.cells.get(place);
  if (!cell) return null;
  return cell.total ? cell.healthy / cell.total : 0;
}

interface CellProps {
  readonly row: CoverageRow;
  readonly place: string;
  readonly told: (healthy: number, total: number) => string;
}

function CoverageCell({ row, place, told }: CellProps) {
  const cell = row.cells.get(place);
  if (!cell) return <span>–</span>;
  const { healthy, total } = cell;
  return (
    <span className="coverage-cell" title={told(healthy, total)}>
      <HealthDot healthy={healthy} total={Math.max(1, total)} label={told(healthy, total)} />
      {healthy}/{total}
    </span>
  );
}
