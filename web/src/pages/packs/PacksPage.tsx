import { Alert, Badge, Button, Select, Tabs } from "@mantine/core";
import { IconDownload, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { api, body, EVERYWHERE } from "#/api/client";
import { maySomewhere, meQuery } from "#/api/session";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { download } from "#/components/download";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { ConflictsTab, FaultsTab } from "./FaultsTab";
import { InstallTab } from "./InstallTab";
import { exportPacks, faultsQuery, type Pack, packsQuery } from "./queries";
import { PACK_TABS } from "./routes";
import { packTexts } from "./texts";

/** What is installed, what it needs, and what is wrong with any of it. */
export function PacksPage() {
  const text = useTexts(packTexts);
  const { tab = "packs" } = useSearch({ from: "/shell/packs" });
  const navigate = useNavigate({ from: "/packs" });
  const { data: me } = useSuspenseQuery(meQuery);
  const packs = useQuery(packsQuery);
  useInvalidateOn("catalog", packsQuery.queryKey);
  useInvalidateOn("catalog", ["catalog"]);
  const { packs: total = 0, enabled = 0, functions = 0, ui_schema = 0 } = packs.data?.counts ?? {};
  const tabs = PACK_TABS.filter((tab) => tab !== "install" || maySomewhere(me, "packs:import"));
  return (
    <>
      <PageHeader title={text.title} detail={packs.data && text.counts(total, enabled, functions, ui_schema)}>
        <Acts />
      </PageHeader>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) => {
          const tab = PACK_TABS.find((tab) => tab === value);
          if (tab) void navigate({ search: (now) => ({ ...now, tab }), replace: true });
        }}
      >
        <Tabs.List px="md">
          {tabs.map((tab) => (
            <Tabs.Tab key={tab} value={tab} rightSection={tab === "faults" && <FaultCount />}>
              {text.tabs[tab]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="packs">
          {packs.isError && <ProblemBox error={packs.error} again={() => void packs.refetch()} />}
          {packs.isPending && <Waiting />}
          {packs.data && <List packs={packs.data.packs} />}
        </Tabs.Panel>
        <Tabs.Panel value="install" p="md" maw={1080}>
          <InstallTab />
        </Tabs.Panel>
        <Tabs.Panel value="faults">
          <FaultsTab />
        </Tabs.Panel>
        <Tabs.Panel value="conflicts">
          <ConflictsTab />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function FaultCount() {
  const faults = useQuery(faultsQuery);
  return faults.data && faults.data.length > 0 ? <Badge color="red">{faults.data.length}</Badge> : null;
}

function Acts() {
  const text = useTexts(packTexts);
  const queries = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery);
  const reload = useMutation({
    mutationFn: () => body(api.POST("/api/packs/reload", { headers: EVERYWHERE })),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: packsQuery.queryKey }),
        queries.invalidateQueries({ queryKey: ["catalog"] }),
      ]),
  });
  const save = useMutation({
    mutationFn: async () => download("packs.tgz", await exportPacks(""), "application/gzip"),
  });
  return (
    <>
      {reload.data && (
        <Alert role="status" py={2} color={reload.data.faults.length ? "orange" : "green"}>
          {text.reloaded(reload.data.packs, reload.data.faults.length)}
        </Alert>
      )}
      {(reload.error ?? save.error) && <ProblemBox error={reload.error ?? save.error} />}
      {maySomewhere(me, "packs:reload") && (
        <Button
          variant="default"
          title={text.reloadHint}
          loading={reload.isPending}
          leftSection={<IconRefresh size={14} aria-hidden />}
          onClick={() => reload.mutate()}
        >
          {text.reload}
        </Button>
      )}
      {maySomewhere(me, "packs:export") && (
        <Button
          variant="default"
          loading={save.isPending}
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => save.mutate()}
        >
          {text.exportAll}
        </Button>
      )}
    </>
  );
}

function List({ packs }: { packs: readonly Pack[] }) {
  const text = useTexts(packTexts);
  const { category = "" } = useSearch({ from: "/shell/packs" });
  const navigate = useNavigate({ from: "/packs" });
  const columns = useColumns();
  const categories = [...new Set(packs.map((pack) => pack.category))].filter(Boolean).sort();
  return (
    <DataTable
      label={text.title}
      rows={packs.filter((pack) => !category || pack.category === category)}
      columns={columns}
      rowKey={(pack) => pack.name}
      onOpen={(pack) => void navigate({ to: "/packs/$pack", params: { pack: pack.name }, search: {} })}
      toolbar={
        categories.length > 0 && (
          <Select
            size="xs"
            w={160}
            aria-label={text.category}
            allowDeselect={false}
            data={[{ value: "", label: text.anyCategory }, ...categories.map((value) => ({ value, label: value }))]}
            value={category}
            onChange={(category) =>
              void navigate({ search: (now) => ({ ...now, category: category ?? "" }), replace: true })
            }
          />
        )
      }
      empty={<EmptyState title={text.none} hint={text.noneHint} />}
    />
  );
}

function useColumns(): Column<Pack>[] {
  const text = useTexts(packTexts);
  const language = useLanguage();
  return [
    { id: "name", header: text.name, width: 150, mono: true, value: (pack) => pack.name },
    { id: "title", header: text.about, width: 220, value: (pack) => aboutOf(pack, language) },
    { id: "version", header: text.version, width: 80, mono: true, value: (pack) => pack.version },
    { id: "category", header: text.category, width: 100, value: (pack) => pack.category },
    {
      id: "state",
      header: text.state,
      width: 100,
      value: (pack) => text.states[pack.state],
      cell: (pack) => <PackStateBadge pack={pack} />,
    },
    { id: "functions", header: text.functions, width: 80, align: "right", value: (pack) => pack.functions.length },
    { id: "entities", header: text.entities, width: 70, align: "right", value: (pack) => pack.entities.length },
    { id: "needs", header: text.dependencies, width: 140, value: (pack) => needsOf(pack) },
    { id: "needed", header: text.dependants, width: 140, value: (pack) => pack.dependants.join(", ") },
    { id: "signed", header: text.signedBy, width: 120, value: (pack) => pack.signed_by || text.unsigned },
    {
      id: "origin",
      header: text.origin,
      width: 90,
      value: (pack) => (text.origins as Record<string, string>)[pack.origin] ?? pack.origin,
    },
    {
      id: "installed",
      header: text.installed,
      width: 110,
      value: (pack) => pack.installed_ms,
      cell: (pack) => (pack.installed_ms ? <Time ms={pack.installed_ms} /> : ""),
    },
  ];
}

export function aboutOf(pack: Pick<Pack, "title" | "description">, language: "en" | "zh"): string {
  return inLanguage(pack.title, language) || inLanguage(pack.description, language);
}

export function needsOf(pack: Pick<Pack, "dependencies">): string {
  return pack.dependencies.map(({ id, version }) => (version ? `${id} ${version}` : id)).join(", ");
}

export function PackStateBadge({ pack }: { pack: Pick<Pack, "state" | "problem"> }) {
  const text = useTexts(packTexts);
  if (pack.problem) return <StateBadge state="failed" label={text.problem} />;
  return <StateBadge state={pack.state} label={text.states[pack.state]} />;
}
