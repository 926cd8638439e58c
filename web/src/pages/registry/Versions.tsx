import { Group, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useScope } from "#/app/scope";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { exactTime } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { ChangeTable } from "./ChangeTable";
import { useOriginText } from "./Origins";
import { differenceQuery, type FunctionDocument, type Version } from "./queries";
import { registryTexts } from "./texts";
import { VerdictBadge } from "./VerdictBadge";

/** The versions of a description, two of them compared: does the newer one break who calls it? */
export function Versions({ found }: { found: FunctionDocument }) {
  const text = useTexts(registryTexts);
  const { versions } = found;
  return (
    <Section title={text.versions} hint={text.versionsHint}>
      {versions.length < 2 ? <Text c="dimmed">{text.oneVersion}</Text> : <Compared found={found} />}
    </Section>
  );
}

function Compared({ found }: { found: FunctionDocument }) {
  const text = useTexts(registryTexts);
  const { game, env } = useScope();
  const search = useSearch({ from: "/shell/registry/$fn" });
  const navigate = useNavigate({ from: "/registry/$fn" });
  const label = useVersionText();
  // What the address does not name the server chooses: what counts now, and what it was before.
  const difference = useQuery(differenceQuery(game, env, found.id, search.old ?? "", search.new ?? ""));
  const from = search.old ?? difference.data?.old.digest ?? null;
  const to = search.new ?? difference.data?.new.digest ?? null;
  const labels = new Map(found.versions.map((version) => [version.digest, label(version)]));
  const data = [...labels].map(([value, label]) => ({ value, label }));
  const choose = (change: { old?: string; new?: string }) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-end" grow>
        <Select
          label={text.before}
          allowDeselect={false}
          data={data}
          value={from}
          onChange={(old) => old && choose({ old })}
        />
        <Select
          label={text.after}
          allowDeselect={false}
          data={data}
          value={to}
          onChange={(to) => to && choose({ new: to })}
        />
      </Group>
      {difference.isError && <ProblemBox error={difference.error} again={() => void difference.refetch()} />}
      {difference.isPending && <Waiting rows={2} />}
      {difference.data && (
        <>
          <Group gap={6} aria-live="polite">
            <Text>{text.verdict}</Text>
            <VerdictBadge verdict={difference.data.verdict} />
          </Group>
          <ChangeTable changes={difference.data.changes} />
        </>
      )}
    </Stack>
  );
}

function useVersionText(): (version: Version) => string {
  const text = useTexts(registryTexts);
  const originText = useOriginText();
  return ({ version, digest, origin, replaced_ms }) => {
    const when = replaced_ms ? `${text.replaced} ${exactTime(replaced_ms)}` : text.now;
    return [version, digest.slice(0, 10), originText(origin), when].filter(Boolean).join(" · ");
  };
}
