import { Alert, Anchor, Button, Grid, Stack, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { maySomewhere, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { CopyField } from "#/components/CopyField";
import { download } from "#/components/download";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { bytes, Facts, JsonView } from "#/views";
import { ChangeView } from "./ChangeView";
import { FaultTable } from "./FaultTable";
import { aboutOf, needsOf, PackStateBadge } from "./PacksPage";
import { actOn, exportPacks, type PackAct, type PackDetail, type PackVersion, packQuery } from "./queries";
import { packTexts } from "./texts";

/** One pack: what it holds, what it needs, its versions, and what can be done with it. */
export function PackPage() {
  const { pack: name } = useParams({ from: "/shell/packs/$pack" });
  const pack = useQuery(packQuery(name));
  useInvalidateOn("catalog", ["packs"]);
  if (pack.data) return <Shown pack={pack.data} />;
  return (
    <>
      <PageHeader title={name} />
      {pack.isPending ? <Waiting /> : <ProblemBox error={pack.error} again={() => void pack.refetch()} />}
    </>
  );
}

type Ask = (act: PackAct, to?: PackVersion) => void;

/** Acts on a pack, each asked about with what it does to how many. */
function useActs(pack: PackDetail) {
  const text = useTexts(packTexts);
  const ask = useConfirm();
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (act: PackAct) => actOn(pack.name, act),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["packs"] }),
        queries.invalidateQueries({ queryKey: ["catalog"] }),
      ]),
  });
  const { functions, entities } = pack;
  const asked = async (wish: PackAct, to?: PackVersion) => {
    if (wish.act !== "enable") {
      const consequence =
        wish.act === "rollback"
          ? text.consequence.rollback(pack.version, to?.version ?? "")
          : text.consequence[wish.act](functions.length, entities.length);
      const question = { title: text.ask[wish.act](pack.name), consequence, act: text[wish.act], destructive: true };
      if (!(await ask(question))) return;
    }
    act.mutate(wish);
  };
  return { act, ask: ((wish, to) => void asked(wish, to)) as Ask };
}

function Shown({ pack }: { pack: PackDetail }) {
  const text = useTexts(packTexts);
  const language = useLanguage();
  const { data: me } = useSuspenseQuery(meQuery);
  const { act, ask } = useActs(pack);
  const changes = maySomewhere(me, "packs:change") && pack.origin !== "folder";
  return (
    <>
      <PageHeader
        title={inLanguage(pack.title, language, pack.name)}
        badges={<PackStateBadge pack={pack} />}
        detail={`${pack.name} · ${pack.version}`}
      >
        {changes && <Acts pack={pack} ask={ask} busy={act.isPending} />}
        {maySomewhere(me, "packs:export") && <Export pack={pack} />}
      </PageHeader>
      <Stack px="md" pb="xl" gap="md">
        {act.error && <ProblemBox error={act.error} />}
        {act.data && !act.data.accepted && <ChangeView change={act.data} />}
        {pack.problem && (
          <Alert color="red" title={text.problem}>
            {pack.problem}
          </Alert>
        )}
        {pack.origin === "folder" && <Text c="dimmed">{text.folderHint}</Text>}
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, md: 6 }}>
            <Stack gap="lg">
              <About pack={pack} />
              <Offers pack={pack} />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 6 }}>
            <Stack gap="lg">
              <Versions pack={pack} {...(changes && { ask })} />
              {pack.notes.length > 0 && (
                <Section title={text.notes} hint={text.notesHint}>
                  <FaultTable faults={pack.notes} label={text.notes} />
                </Section>
              )}
              <Files pack={pack} />
              <Section title={text.manifest}>
                <JsonView value={pack.manifest} label={pack.name} />
              </Section>
            </Stack>
          </Grid.Col>
        </Grid>
      </Stack>
    </>
  );
}

function Acts({ pack, ask, busy }: { pack: PackDetail; ask: Ask; busy: boolean }) {
  const text = useTexts(packTexts);
  const needed = pack.dependants.length > 0 ? text.needed(pack.dependants.join(", ")) : undefined;
  if (pack.state === "uninstalled") return null;
  const other = pack.state === "enabled" ? "disable" : "enable";
  return (
    <>
      <Button
        variant="default"
        loading={busy}
        disabled={other === "disable" && needed !== undefined}
        title={other === "disable" ? needed : undefined}
        onClick={() => ask({ act: other })}
      >
        {text[other]}
      </Button>
      <Button
        variant="light"
        color="red"
        loading={busy}
        disabled={needed !== undefined}
        title={needed}
        onClick={() => ask({ act: "uninstall" })}
      >
        {text.uninstall}
      </Button>
    </>
  );
}

function Export({ pack }: { pack: PackDetail }) {
  const text = useTexts(packTexts);
  const save = useMutation({
    mutationFn: async () =>
      download(`${pack.name}-${pack.version}.tgz`, await exportPacks(pack.name), "application/gzip"),
  });
  return (
    <>
      <Button variant="default" loading={save.isPending} onClick={() => save.mutate()}>
        {text.export}
      </Button>
      {save.error && <ProblemBox error={save.error} />}
    </>
  );
}

function About({ pack }: { pack: PackDetail }) {
  const text = useTexts(packTexts);
  const language = useLanguage();
  return (
    <Section title={text.about}>
      <Facts
        facts={[
          [text.about, inLanguage(pack.description, language) || aboutOf(pack, language)],
          [text.category, pack.category],
          [text.signedBy, pack.signed_by || text.unsigned],
          [text.origin, (text.origins as Record<string, string>)[pack.origin] ?? pack.origin],
          [text.installedBy, pack.installed_by],
          [text.installed, pack.installed_ms > 0 && <Time key="installed" ms={pack.installed_ms} exact />],
          [text.dependencies, needsOf(pack)],
          [text.dependants, pack.dependants.length > 0 && text.needed(pack.dependants.join(", "))],
          [text.digest, pack.digest && <CopyField key="digest" value={pack.digest} label={text.digest} />],
        ]}
      />
    </Section>
  );
}

function Offers({ pack }: { pack: PackDetail }) {
  const text = useTexts(packTexts);
  return (
    <>
      <Links title={text.functions} ids={pack.functions} path="/registry" />
      <Links title={text.entities} ids={pack.entities} path="/entities" />
    </>
  );
}

function Links({ title, ids, path }: { title: string; ids: readonly string[]; path: string }) {
  if (ids.length === 0) return null;
  return (
    <Section title={`${title} (${ids.length})`}>
      <Stack gap={2}>
        {ids.map((id) => (
          <Anchor
            key={id}
            component={Link}
            to={`${path}/${encodeURIComponent(id)}`}
            ff="monospace"
            style={{ overflowWrap: "anywhere" }}
          >
            {id}
          </Anchor>
        ))}
      </Stack>
    </Section>
  );
}

function Versions({ pack, ask }: { pack: PackDetail; ask?: Ask }) {
  const text = useTexts(packTexts);
  if (pack.versions.length === 0) return null;
  return (
    <Section title={text.versions} hint={text.versionsHint}>
      <Table withTableBorder aria-label={text.versions}>
        <Table.Tbody>
          {pack.versions.map((version) => (
            <Table.Tr key={version.digest}>
              <Table.Td ff="monospace">{version.version}</Table.Td>
              <Table.Td ff="monospace" title={version.digest}>
                {version.digest.slice(0, 10)}
              </Table.Td>
              <Table.Td>{version.signed_by || text.unsigned}</Table.Td>
              <Table.Td>{version.installed_by}</Table.Td>
              <Table.Td>{version.installed_ms > 0 && <Time ms={version.installed_ms} />}</Table.Td>
              <Table.Td ta="right">
                {version.current && pack.state !== "uninstalled" ? (
                  <Text>{text.current}</Text>
                ) : (
                  ask && (
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`${text.rollback}: ${version.version}`}
                      onClick={() => ask({ act: "rollback", digest: version.digest }, version)}
                    >
                      {text.rollback}
                    </Button>
                  )
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function Files({ pack }: { pack: PackDetail }) {
  const text = useTexts(packTexts);
  const locale = useLocale();
  return (
    <Section title={`${text.files} (${pack.files.length})`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by the keyboard too */}
      <section style={{ maxHeight: 240, overflow: "auto" }} aria-label={text.files} tabIndex={0}>
        <Table aria-label={text.files}>
          <Table.Tbody>
            {pack.files.map(({ name, bytes: size }) => (
              <Table.Tr key={name}>
                <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                  {name}
                </Table.Td>
                <Table.Td ta="right">{bytes(size, locale)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </Section>
  );
}
