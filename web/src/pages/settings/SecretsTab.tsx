import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";
import { maySomewhere, meQuery } from "#/api/session";
import { StateBadge } from "#/components/badges";
import { useConfirm } from "#/components/Confirm";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { Rows } from "./Rows";
import { ScopeFields, useWhereText } from "./ScopeFields";
import { settingsTexts } from "./texts";

type Secret = components["schemas"]["SecretEntry"];
type Version = components["schemas"]["SecretVersionEntry"];
type Deed = "enable" | "disable" | "destroy" | "rotate" | "delete";

const KEY = ["secrets"];

interface Act {
  readonly secret: Secret;
  readonly deed: Deed;
  readonly version?: number;
}

function useAct() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ secret, deed, version }: Act) => {
      const path = { name: secret.name };
      const query = { game_id: secret.game_id, env: secret.env };
      const options = { params: { path, query }, headers: EVERYWHERE };
      if (deed === "delete") return api.DELETE("/api/secrets/{name}", options);
      if (deed === "rotate") return api.POST("/api/secrets/{name}/rotate", options);
      const params = { path: { ...path, version: version ?? secret.current, deed }, query };
      return api.POST("/api/secrets/{name}/versions/{version}/{deed}", { params, headers: EVERYWHERE });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function SecretsTab() {
  const text = useTexts(settingsTexts);
  const where = useWhereText();
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const secrets = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => body(api.GET("/api/secrets", { signal, headers: EVERYWHERE })),
  });
  const act = useAct();
  const remove = async (secret: Secret) => {
    const consequence = text.secrets.consequence(secret.name);
    const question = { title: text.secrets.ask, consequence, act: text.delete, destructive: true, word: secret.name };
    if (await ask(question)) act.mutate({ secret, deed: "delete" });
  };
  const manages = maySomewhere(me, "secrets:manage");
  return (
    <Stack gap="sm">
      <Text c="dimmed">{text.secrets.hint}</Text>
      {secrets.isError && <ProblemBox error={secrets.error} again={() => void secrets.refetch()} />}
      {act.error && <ProblemBox error={act.error} />}
      {secrets.isPending && <Waiting rows={3} />}
      {secrets.data?.secrets.length === 0 && <EmptyState title={text.secrets.none} />}
      {secrets.data && secrets.data.secrets.length > 0 && (
        <Rows
          label={text.tabs.secrets}
          head={[text.secrets.name, `${text.game} / ${text.env}`, text.note, text.secrets.versions, text.changed]}
          rows={secrets.data.secrets.map((secret) => ({
            key: `${secret.name} ${secret.game_id} ${secret.env}`,
            cells: [
              secret.name,
              where(secret),
              secret.note,
              <Versions key="versions" secret={secret} act={manages ? (given) => act.mutate(given) : undefined} />,
              <Time key="changed" ms={secret.changed_ms} />,
            ],
            acts: manages && (
              <Group gap={4} justify="flex-end" wrap="nowrap">
                <Button size="compact-xs" variant="default" onClick={() => act.mutate({ secret, deed: "rotate" })}>
                  {text.secrets.rotate}
                </Button>
                <Button size="compact-xs" variant="default" onClick={() => void remove(secret)}>
                  {text.delete}
                </Button>
              </Group>
            ),
          }))}
        />
      )}
      {manages && <Add />}
    </Stack>
  );
}

function Versions({ secret, act }: { secret: Secret; act: ((act: Act) => void) | undefined }) {
  return (
    <Stack gap={2}>
      {secret.versions.map((version) => (
        <OneVersion key={version.version} secret={secret} version={version} act={act} />
      ))}
    </Stack>
  );
}

function OneVersion({
  secret,
  version,
  act,
}: {
  secret: Secret;
  version: Version;
  act: ((act: Act) => void) | undefined;
}) {
  const text = useTexts(settingsTexts);
  const ask = useConfirm();
  const now = version.version;
  const destroy = async () => {
    const title = text.secrets.askDestroy(secret.name, now);
    const consequence = text.secrets.destroyConsequence;
    if (await ask({ title, consequence, act: text.secrets.destroy, destructive: true })) {
      act?.({ secret, deed: "destroy", version: now });
    }
  };
  const other = version.state === "enabled" ? "disable" : "enable";
  return (
    <Group gap={6}>
      <Text ff="monospace">{now}</Text>
      <StateBadge state={version.state} label={text.secrets.states[version.state]} />
      {secret.current === now && <Text c="dimmed">{text.secrets.current}</Text>}
      {act && version.state !== "destroyed" && (
        <>
          <Button size="compact-xs" variant="subtle" onClick={() => act({ secret, deed: other, version: now })}>
            {text.secrets[other]}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => void destroy()}>
            {text.secrets.destroy}
          </Button>
        </>
      )}
    </Group>
  );
}

function Add() {
  const text = useTexts(settingsTexts);
  const queries = useQueryClient();
  const [given, setGiven] = useState({ name: "", value: "", game_id: "", env: "", note: "" });
  const add = useMutation({
    mutationFn: () =>
      body(api.POST("/api/secrets", { body: { ...given, note: given.note || null }, headers: EVERYWHERE })),
    onSuccess: () => {
      setGiven({ name: "", value: "", game_id: "", env: "", note: "" });
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Group gap="xs" align="flex-end">
        <TextInput
          label={text.secrets.name}
          required
          w={160}
          value={given.name}
          onChange={(event) => setGiven({ ...given, name: event.currentTarget.value })}
        />
        <PasswordInput
          label={text.secrets.value}
          required
          w={220}
          autoComplete="off"
          value={given.value}
          onChange={(event) => setGiven({ ...given, value: event.currentTarget.value })}
        />
        <ScopeFields value={given} onChange={(where) => setGiven({ ...given, ...where })} />
        <TextInput
          label={text.note}
          w={180}
          value={given.note}
          onChange={(event) => setGiven({ ...given, note: event.currentTarget.value })}
        />
        <Button type="submit" loading={add.isPending} disabled={!given.name || !given.value}>
          {text.secrets.add}
        </Button>
      </Group>
      <Text c="dimmed">{text.secrets.newVersion}</Text>
      {add.error && <ProblemBox error={add.error} />}
    </form>
  );
}
