import { Badge } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { maySomewhere, meQuery } from "#/api/session";
import { HealthDot, StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { gamesQuery } from "#/pages/access/queries";
import { registryQuery } from "#/pages/registry/queries";
import { windowsIn } from "./assigned";
import { type Place, placesOf } from "./places";
import { type MaintenanceWindow, windowsQuery } from "./queries";
import { gameTexts } from "./texts";

/** Games and their environments: who serves them, what they may use, whether they are in maintenance. */
export function GamesPage() {
  const text = useTexts(gameTexts);
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(meQuery);
  const games = useQuery(gamesQuery);
  const registry = useQuery({ ...registryQuery, enabled: maySomewhere(me, "registry:read") });
  const windows = useQuery({ ...windowsQuery, enabled: maySomewhere(me, "maintenance:read"), retry: false });
  useInvalidateOn("registry", ["registry"]);
  useInvalidateOn("maintenance", ["maintenance"]);
  const columns = useColumns(windows.data ?? []);
  return (
    <div className="page-fill">
      <PageHeader title={text.title} />
      {games.isError && <ProblemBox error={games.error} again={() => void games.refetch()} />}
      {games.isPending && <Waiting />}
      {registry.isError && <ProblemBox error={registry.error} again={() => void registry.refetch()} />}
      {games.data && (
        <DataTable
          label={text.title}
          rows={placesOf(games.data.games, registry.data)}
          columns={columns}
          rowKey={({ game, env }) => `${game}|${env}`}
          onOpen={({ game }) => void navigate({ to: "/games/$id/envs", params: { id: game }, search: {} })}
          empty={<EmptyState title={text.none} hint={text.noneHint} />}
        />
      )}
    </div>
  );
}

function useColumns(windows: readonly MaintenanceWindow[]): Column<Place>[] {
  const text = useTexts(gameTexts);
  const maintenance = ({ game, env }: Place) => {
    const found = windowsIn(windows, game, env);
    return found.find((window) => window.state === "open") ?? found[0];
  };
  return [
    { id: "game", header: text.game, width: 180, mono: true, value: (place) => place.game },
    { id: "env", header: text.env, width: 120, mono: true, value: (place) => place.env },
    {
      id: "kind",
      header: text.kind,
      width: 100,
      value: (place) => (place.production ? text.production : text.other),
      cell: (place) => (place.production ? <Badge color="red">{text.production}</Badge> : text.other),
    },
    {
      id: "agents",
      header: text.agents,
      width: 90,
      value: (place) => place.healthyAgents,
      cell: (place) => (
        <>
          <HealthDot
            healthy={place.healthyAgents}
            total={place.agents}
            label={text.agentsOf(place.healthyAgents, place.agents)}
          />{" "}
          {place.healthyAgents}/{place.agents}
        </>
      ),
    },
    { id: "functions", header: text.functions, width: 80, align: "right", value: (place) => place.functions },
    { id: "uncovered", header: text.uncovered, width: 90, align: "right", value: (place) => place.uncovered },
    { id: "partial", header: text.partial, width: 110, align: "right", value: (place) => place.partial },
    {
      id: "assigned",
      header: text.assigned,
      width: 130,
      value: (place) => (place.assigned ? text.patterns(place.assigned.length) : text.all),
    },
    {
      id: "maintenance",
      header: text.maintenance,
      width: 120,
      value: (place) => maintenance(place)?.state ?? "",
      cell: (place) => <Maintenance window={maintenance(place)} />,
    },
  ];
}

function Maintenance({ window }: { window: MaintenanceWindow | undefined }) {
  const text = useTexts(gameTexts);
  if (!window) return null;
  return window.state === "open" ? (
    <StateBadge state="paused" label={text.open} />
  ) : (
    <StateBadge state="expired" label={text.planned} />
  );
}
