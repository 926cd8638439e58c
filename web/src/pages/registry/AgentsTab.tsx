import { Button, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { HealthDot, StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { Facts } from "#/views";
import { isIn } from "./coverage";
import { grouped } from "./grouped";
import { type Agent, type Instance, instancesQuery } from "./queries";
import { registryTexts } from "./texts";

/** An agent may serve several games: it is a row for each. */
function keyOf({ agent_id, game_id, env }: Pick<Agent, "agent_id" | "game_id" | "env">): string {
  return `${agent_id}|${game_id}|${env}`;
}

/** The agents that are connected, and what is known of one. */
export function AgentsTab({ agents }: { agents: readonly Agent[] }) {
  const text = useTexts(registryTexts);
  const { where = "", agent: openKey } = useSearch({ from: "/shell/registry" });
  const navigate = useNavigate({ from: "/registry" });
  const columns = useColumns();
  const rows = agents.filter((agent) => isIn(where, `${agent.game_id}|${agent.env}`));
  const opened = rows.find((agent) => keyOf(agent) === openKey);
  const open = (agent = "") => void navigate({ search: (now) => ({ ...now, agent }), replace: true });
  return (
    <div className="side-panes" data-open={opened ? true : undefined}>
      <DataTable
        label={text.tabs.agents}
        rows={rows}
        columns={columns}
        rowKey={keyOf}
        selected={openKey}
        onOpen={(agent) => open(keyOf(agent))}
        empty={<EmptyState title={text.noAgents} hint={text.noAgentsHint} />}
      />
      {opened && <Details agent={opened} close={() => open()} />}
    </div>
  );
}

function useColumns(): Column<Agent>[] {
  const text = useTexts(registryTexts);
  return [
    { id: "agent", header: text.agent, width: 160, mono: true, value: (agent) => agent.agent_id },
    {
      id: "scope",
      header: `${text.game} / ${text.env}`,
      width: 130,
      value: (agent) => `${agent.game_id} / ${agent.env}`,
    },
    {
      id: "state",
      header: text.state,
      width: 80,
      value: (agent) => (agent.healthy ? text.healthy : text.ill),
      cell: (agent) => <AgentState agent={agent} />,
    },
    { id: "version", header: text.version, width: 90, mono: true, value: (agent) => agent.version },
    { id: "functions", header: text.functions, width: 80, align: "right", value: (agent) => agent.functions },
    { id: "region", header: text.region, width: 100, value: (agent) => agent.region },
    { id: "zone", header: text.zone, width: 100, value: (agent) => agent.zone },
    { id: "ip", header: text.ip, width: 130, mono: true, value: (agent) => agent.ip },
    { id: "edge", header: text.edge, width: 110, mono: true, value: (agent) => agent.edge || text.direct },
    {
      id: "expires",
      header: text.expires,
      width: 110,
      align: "right",
      value: (agent) => agent.expires_in_sec,
      cell: (agent) => text.seconds(agent.expires_in_sec ?? 0),
    },
    { id: "labels", header: text.labels, width: 180, hidden: true, value: (agent) => labelsOf(agent) },
  ];
}

function labelsOf(agent: Agent): string {
  return Object.entries(agent.labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

function AgentState({ agent }: { agent: Agent }) {
  const text = useTexts(registryTexts);
  return agent.healthy ? (
    <StateBadge state="healthy" label={text.healthy} />
  ) : (
    <StateBadge state="offline" label={text.ill} />
  );
}

function Details({ agent, close }: { agent: Agent; close: () => void }) {
  const text = useTexts(registryTexts);
  return (
    <aside className="side-panel" aria-label={agent.agent_id}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {agent.agent_id}
          </Title>
          <Button variant="subtle" size="compact-xs" onClick={close}>
            {text.close}
          </Button>
        </Group>
        <Facts
          facts={[
            [`${text.game} / ${text.env}`, `${agent.game_id} / ${agent.env}`],
            [text.state, <AgentState key="state" agent={agent} />],
            [text.version, agent.version],
            [text.type, agent.type],
            [text.region, agent.region],
            [text.zone, agent.zone],
            [text.ip, agent.ip],
            [text.edge, agent.edge || text.direct],
            [text.rpc, agent.rpc_addr],
            [text.labels, labelsOf(agent)],
            [text.functions, agent.functions],
            [text.expires, text.seconds(agent.expires_in_sec ?? 0)],
          ]}
        />
        <Servers agent={agent} />
      </Stack>
    </aside>
  );
}

/** The game servers behind an agent: each offers several functions. */
function Servers({ agent }: { agent: Agent }) {
  const text = useTexts(registryTexts);
  const instances = useQuery(instancesQuery(""));
  if (instances.isError) return <ProblemBox error={instances.error} again={() => void instances.refetch()} />;
  if (!instances.data) return <Waiting rows={3} />;
  const servers = grouped(
    instances.data.filter((each) => keyOf(each) === keyOf(agent)),
    (each) => each.service_id,
  );
  return (
    <section aria-label={text.servers}>
      <Title order={3} mb={4}>
        {text.servers}
      </Title>
      {servers.size === 0 && <Text c="dimmed">{text.noServers}</Text>}
      {servers.size > 0 && (
        <Table withTableBorder aria-label={text.servers}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.service}</Table.Th>
              <Table.Th>{text.version}</Table.Th>
              <Table.Th ta="right">{text.serviceFunctions}</Table.Th>
              <Table.Th ta="right">{text.inFlight}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...servers].map(([id, offered]) => (
              <Server key={id} id={id} offered={offered} />
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}

function Server({ id, offered }: { id: string; offered: readonly Instance[] }) {
  const text = useTexts(registryTexts);
  const healthy = offered.filter((each) => each.healthy).length;
  // What is on its way is counted for the game server, whichever function it is for.
  const inFlight = Math.max(...offered.map((each) => each.outstanding ?? 0));
  return (
    <Table.Tr>
      <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
        <Group gap={6} wrap="nowrap">
          <HealthDot healthy={healthy} total={offered.length} label={healthy ? text.healthy : text.ill} />
          {id}
        </Group>
      </Table.Td>
      <Table.Td ff="monospace">{offered[0]?.version}</Table.Td>
      <Table.Td ta="right">{offered.length}</Table.Td>
      <Table.Td ta="right">{inFlight}</Table.Td>
    </Table.Tr>
  );
}
