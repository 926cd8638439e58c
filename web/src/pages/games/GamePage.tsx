import { Anchor, Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { maySomewhere, meQuery } from "#/api/session";
import { StateBadge } from "#/components/badges";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { gamesQuery } from "#/pages/access/queries";
import { rowsOf } from "#/pages/registry/coverage";
import { registryQuery } from "#/pages/registry/queries";
import { Facts } from "#/views";
import { AssignmentEditor } from "./AssignmentEditor";
import { windowsIn } from "./assigned";
import { type Place, placesOf } from "./places";
import { describedQuery, windowsQuery } from "./queries";
import { gameTexts } from "./texts";

/** The environments of one game: how each stands, what it may use, when it is in maintenance. */
export function GamePage() {
  const text = useTexts(gameTexts);
  const { id } = useParams({ from: "/shell/games/$id/envs" });
  const { data: me } = useSuspenseQuery(meQuery);
  const games = useQuery(gamesQuery);
  const registry = useQuery({ ...registryQuery, enabled: maySomewhere(me, "registry:read") });
  useInvalidateOn("registry", ["registry"]);
  const described = useQuery({ ...describedQuery, enabled: maySomewhere(me, "catalog:read") });
  useInvalidateOn("catalog", describedQuery.queryKey);
  const offered = registry.data ? rowsOf(registry.data, "").map((row) => row.id) : [];
  const known = [...new Set([...offered, ...(described.data ?? [])])].sort();
  const places = placesOf(games.data?.games.filter((game) => game.game_id === id) ?? [], registry.data);
  return (
    <>
      <PageHeader
        title={id}
        detail={
          <Anchor component={Link} to="/games">
            {text.title}
          </Anchor>
        }
      />
      {games.isError && <ProblemBox error={games.error} again={() => void games.refetch()} />}
      {registry.isError && <ProblemBox error={registry.error} again={() => void registry.refetch()} />}
      {described.isError && <ProblemBox error={described.error} again={() => void described.refetch()} />}
      {games.isPending && <Waiting />}
      {games.data && places.length === 0 && <EmptyState title={text.noEnvs} />}
      <Stack px="md" pb="xl" gap="xl" maw={1000}>
        {places.map((place) => (
          <Environment key={place.env} place={place} known={known} />
        ))}
      </Stack>
    </>
  );
}

function Environment({ place, known }: { place: Place; known: readonly string[] }) {
  const text = useTexts(gameTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  const { game, env } = place;
  const seesRegistry = maySomewhere(me, "registry:read");
  return (
    <Section
      title={env}
      hint={place.production && <Badge color="red">{text.production}</Badge>}
      acts={<Ways place={place} />}
    >
      <Stack gap="md">
        <Facts
          facts={[
            seesRegistry && [text.agents, text.agentsOf(place.healthyAgents, place.agents)],
            seesRegistry && [text.functions, text.functionsOf(place.functions, place.uncovered, place.partial)],
          ]}
        />
        {maySomewhere(me, "assignments:read") && (
          <AssignmentEditor scope={`${game}|${env}`} known={known} change={maySomewhere(me, "assignments:write")} />
        )}
        {maySomewhere(me, "maintenance:read") && <Windows game={game} env={env} />}
      </Stack>
    </Section>
  );
}

/** To other pages, standing in this environment. */
function Ways({ place: { game, env } }: { place: Place }) {
  const text = useTexts(gameTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  return (
    <Group gap={6}>
      {maySomewhere(me, "registry:read") && (
        <Button
          variant="default"
          size="compact-xs"
          renderRoot={(props) => <Link {...props} to="/registry" search={{ where: `${game}|${env}` }} />}
        >
          {text.registry}
        </Button>
      )}
      <Button
        variant="default"
        size="compact-xs"
        renderRoot={(props) => <Link {...props} to="/" search={{ game, env }} />}
      >
        {text.workbench}
      </Button>
    </Group>
  );
}

function Windows({ game, env }: { game: string; env: string }) {
  const text = useTexts(gameTexts);
  const windows = useQuery({ ...windowsQuery, retry: false });
  useInvalidateOn("maintenance", windowsQuery.queryKey);
  if (windows.isError) return <ProblemBox error={windows.error} again={() => void windows.refetch()} />;
  const found = windowsIn(windows.data ?? [], game, env);
  return (
    <section aria-label={`${text.maintenance} ${env}`}>
      <Group gap="xs" mb={4}>
        <Text fw={600}>{text.maintenance}</Text>
        <Anchor component={Link} to="/settings?tab=maintenance">
          {text.settings}
        </Anchor>
      </Group>
      {windows.isPending && <Waiting rows={1} />}
      {windows.data && found.length === 0 && <Text c="dimmed">{text.noWindows}</Text>}
      {found.length > 0 && (
        <Table withTableBorder aria-label={`${text.maintenance} ${env}`}>
          <Table.Tbody>
            {found.map((window) => (
              <Table.Tr key={window.id}>
                <Table.Td>
                  <StateBadge
                    state={window.state === "open" ? "paused" : "expired"}
                    label={window.state === "open" ? text.open : text.planned}
                  />
                </Table.Td>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{window.reason}</Table.Td>
                <Table.Td>
                  {text.starts} <Time ms={window.starts_ms} />
                </Table.Td>
                <Table.Td>
                  {text.ends} {window.ends_ms ? <Time ms={window.ends_ms} /> : text.until}
                </Table.Td>
                <Table.Td>{window.created_by}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}
