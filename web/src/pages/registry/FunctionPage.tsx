import { Alert, Button, Grid, Stack } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ProblemError } from "#/api/problem";
import { useScope } from "#/app/scope";
import { HealthDot, RiskBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Waiting } from "#/components/Waiting";
import { type Bilingual, inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { Facts, JsonView } from "#/views";
import { Origins, useOriginText } from "./Origins";
import { descriptionQuery, type FunctionDocument, type Instance, instancesQuery } from "./queries";
import { registryTexts } from "./texts";
import { Versions } from "./Versions";

type Json = Readonly<Record<string, unknown>>;

/** A function: who offers it, who describes it, and how its description changed. */
export function FunctionPage() {
  const text = useTexts(registryTexts);
  const language = useLanguage();
  const { fn } = useParams({ from: "/shell/registry/$fn" });
  const { game, env } = useScope();
  const found = useQuery(descriptionQuery(game, env, fn));
  useInvalidateOn("catalog", ["catalog"]);
  useInvalidateOn("registry", ["registry"]);
  const descriptor = found.data?.descriptor ?? {};
  const undescribed = found.error instanceof ProblemError && found.error.status === 404;
  return (
    <>
      <PageHeader
        title={inLanguage(descriptor.display_name as Bilingual | undefined, language, fn)}
        badges={<RiskBadge risk={textIn(descriptor, "risk")} />}
        detail={[fn, textIn(descriptor, "version") && `v${textIn(descriptor, "version")}`].filter(Boolean).join(" · ")}
      >
        <Button component={Link} to={`/f/${encodeURIComponent(fn)}`} leftSection={<IconBolt size={14} aria-hidden />}>
          {text.workbench}
        </Button>
      </PageHeader>
      <Stack px="md" pb="xl" gap="lg">
        <Instances functionId={fn} />
        {undescribed && <Alert title={text.undescribed}>{text.undescribedHint}</Alert>}
        {found.isError && !undescribed && <ProblemBox error={found.error} again={() => void found.refetch()} />}
        {found.isPending && <Waiting />}
        {found.data && <Described found={found.data} />}
      </Stack>
    </>
  );
}

function textIn(of: unknown, name: string): string {
  const value = typeof of === "object" && of !== null ? (of as Json)[name] : undefined;
  return typeof value === "string" ? value : "";
}

function Described({ found }: { found: FunctionDocument }) {
  const text = useTexts(registryTexts);
  const language = useLanguage();
  const originText = useOriginText();
  const { descriptor } = found;
  const mode = textIn(descriptor.semantics, "mode");
  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Stack gap="lg">
          <Section title={text.description}>
            <Facts
              facts={[
                [text.description, inLanguage(descriptor.summary as Bilingual | undefined, language)],
                [text.category, textIn(descriptor, "category")],
                [text.mode, (text.modes as Record<string, string>)[mode] ?? mode],
                [text.returns, textIn(descriptor.semantics, "returns")],
                [text.permission, textIn(descriptor.auth, "permission")],
                [text.condition, textIn(descriptor.auth, "allow_if")],
                [text.origin, originText(found.origin)],
              ]}
            />
          </Section>
          <Origins found={found} />
          <Versions found={found} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Section title={text.descriptor}>
          <JsonView value={descriptor} label={found.id} />
        </Section>
      </Grid.Col>
    </Grid>
  );
}

function Instances({ functionId }: { functionId: string }) {
  const text = useTexts(registryTexts);
  const instances = useQuery(instancesQuery(functionId));
  const columns = useColumns();
  return (
    <Section title={text.instances}>
      {instances.isError && <ProblemBox error={instances.error} again={() => void instances.refetch()} />}
      {instances.isPending && <Waiting rows={3} />}
      {instances.data && (
        <DataTable
          label={text.instances}
          rows={instances.data}
          columns={columns}
          rowKey={(each) => `${each.agent_id}|${each.game_id}|${each.env}|${each.service_id}`}
          maxHeight={280}
          empty={<EmptyState title={text.noInstances} hint={text.noInstancesHint} />}
        />
      )}
    </Section>
  );
}

function useColumns(): Column<Instance>[] {
  const text = useTexts(registryTexts);
  return [
    { id: "scope", header: `${text.game} / ${text.env}`, width: 130, value: (each) => `${each.game_id} / ${each.env}` },
    {
      id: "service",
      header: text.service,
      width: 160,
      mono: true,
      value: (each) => each.service_id,
      cell: (each) => (
        <>
          <HealthDot healthy={each.healthy ? 1 : 0} total={1} label={each.healthy ? text.healthy : text.ill} />{" "}
          {each.service_id}
        </>
      ),
    },
    { id: "agent", header: text.agent, width: 150, mono: true, value: (each) => each.agent_id },
    { id: "state", header: text.state, width: 80, value: (each) => (each.healthy ? text.healthy : text.ill) },
    { id: "version", header: text.version, width: 90, mono: true, value: (each) => each.version },
    { id: "function", header: text.functionVersion, width: 100, mono: true, value: (each) => each.function_version },
    { id: "outstanding", header: text.inFlight, width: 80, align: "right", value: (each) => each.outstanding },
    { id: "address", header: text.address, width: 150, mono: true, value: (each) => each.addr },
  ];
}
