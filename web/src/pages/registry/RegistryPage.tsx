import "./registry.css";
import { Select, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { AgentsTab } from "./AgentsTab";
import { CoverageTab } from "./CoverageTab";
import { counted, isIn, rowsOf } from "./coverage";
import { type Registry, registryQuery } from "./queries";
import { REGISTRY_TABS } from "./routes";
import { registryTexts } from "./texts";

/** Who is connected, and which functions can be reached where. */
export function RegistryPage() {
  const text = useTexts(registryTexts);
  const registry = useQuery(registryQuery);
  useInvalidateOn("registry", registryQuery.queryKey);
  useInvalidateOn("catalog", registryQuery.queryKey);
  return (
    <div className="page-fill">
      <PageHeader title={text.title} detail={registry.data && <Counts registry={registry.data} />}>
        {registry.data && <Where registry={registry.data} />}
      </PageHeader>
      {registry.isError && <ProblemBox error={registry.error} again={() => void registry.refetch()} />}
      {registry.isPending && <Waiting />}
      {registry.data && <Shown registry={registry.data} />}
    </div>
  );
}

function Counts({ registry }: { registry: Registry }) {
  const text = useTexts(registryTexts);
  const { where = "" } = useSearch({ from: "/shell/registry" });
  const agents = (registry.agents ?? []).filter((agent) => isIn(where, `${agent.game_id}|${agent.env}`));
  const rows = rowsOf(registry, where);
  const { uncovered, partial } = counted(rows);
  return <span aria-live="polite">{text.counts(agents.length, rows.length, uncovered, partial)}</span>;
}

/** Which games and environments are looked at. */
function Where({ registry }: { registry: Registry }) {
  const text = useTexts(registryTexts);
  const { where = "" } = useSearch({ from: "/shell/registry" });
  const navigate = useNavigate({ from: "/registry" });
  const places = [
    ...(registry.coverage ?? []).map((each) => each.game_env),
    ...(registry.agents ?? []).map((agent) => `${agent.game_id}|${agent.env}`),
  ];
  const games = places.map((place) => place.split("|", 1)[0] ?? "");
  const known = [...new Set([...games, ...places])].filter(Boolean).sort();
  return (
    <Select
      aria-label={text.where}
      allowDeselect={false}
      searchable
      w={200}
      data={[
        { value: "", label: text.everywhere },
        ...known.map((value) => ({ value, label: value.replace("|", " / ") })),
      ]}
      value={where}
      onChange={(where) => void navigate({ search: (now) => ({ ...now, where: where ?? "" }), replace: true })}
    />
  );
}

function Shown({ registry }: { registry: Registry }) {
  const text = useTexts(registryTexts);
  const { tab = "coverage" } = useSearch({ from: "/shell/registry" });
  const navigate = useNavigate({ from: "/registry" });
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      onChange={(value) => {
        const tab = REGISTRY_TABS.find((tab) => tab === value);
        if (tab) void navigate({ search: (now) => ({ ...now, tab }), replace: true });
      }}
    >
      <Tabs.List px="md">
        {REGISTRY_TABS.map((tab) => (
          <Tabs.Tab key={tab} value={tab}>
            {text.tabs[tab]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="coverage">
        <CoverageTab registry={registry} />
      </Tabs.Panel>
      <Tabs.Panel value="agents">
        <AgentsTab agents={registry.agents ?? []} />
      </Tabs.Panel>
    </Tabs>
  );
}
