import { Alert, Button, Checkbox, Code, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { parse, stringify, YAMLParseError } from "yaml";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";
import { may, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { accessTexts } from "./texts";

type Document = components["schemas"]["PolicyDocument"];
type Difference = components["schemas"]["PolicyDifference"];
type Body = components["schemas"]["PolicyBody"];

/** The file that `croupier policy export` prints and `croupier policy apply` reads (docs/reference/permissions.md). */
function asFile({ roles, bindings }: Document): string {
  const own = roles.filter((role) => !role.builtin);
  return stringify({
    roles: Object.fromEntries(own.map(({ name, description, permissions }) => [name, { description, permissions }])),
    bindings: bindings.map(({ subject, role, game_id, env }) => ({
      subject,
      role,
      ...(game_id && game_id !== "*" && { game_id }),
      ...(env && env !== "*" && { env }),
    })),
  });
}

function readFile(text: string): Body {
  const found = (parse(text) ?? {}) as { roles?: Record<string, object>; bindings?: unknown[] };
  const roles = Object.entries(found.roles ?? {}).map(([name, role]) => ({ name, ...role }));
  return { roles, bindings: found.bindings ?? [] } as Body;
}

export function PolicyTab() {
  const policy = useQuery({
    queryKey: ["policy"],
    queryFn: ({ signal }) => body(api.GET("/api/policy", { signal, headers: EVERYWHERE })),
  });
  if (policy.isError) return <ProblemBox error={policy.error} again={() => void policy.refetch()} />;
  if (!policy.data) return <Waiting />;
  return <Editor written={asFile(policy.data)} />;
}

function Editor({ written }: { written: string }) {
  const text = useTexts(accessTexts).policy;
  const queries = useQueryClient();
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const [file, setFile] = useState(written);
  const [prune, setPrune] = useState(false);
  const put = useMutation({
    mutationFn: (dry_run: boolean) => {
      const params = { query: { dry_run, prune } };
      return body(api.PUT("/api/policy", { params, body: readFile(file), headers: EVERYWHERE }));
    },
    onSuccess: (found) => {
      if (found.applied) {
        void queries.invalidateQueries({
          predicate: ({ queryKey: [area] }) => area === "roles" || area === "bindings",
        });
      }
    },
  });
  const apply = async () => {
    const consequence = text.consequence(put.data ? changesOf(put.data) : 0);
    if (await ask({ title: text.ask, consequence, act: text.apply, destructive: true })) put.mutate(false);
  };
  return (
    <Stack gap="xs" maw={960}>
      <Text c="dimmed">{text.hint}</Text>
      <Textarea
        aria-label={text.hint}
        autosize
        minRows={12}
        maxRows={28}
        ff="monospace"
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        spellCheck={false}
        value={file}
        onChange={(event) => {
          put.reset();
          setFile(event.currentTarget.value);
        }}
      />
      {may(me, "roles:manage") && (
        <Group gap="xs">
          <Button variant="default" loading={put.isPending} onClick={() => put.mutate(true)}>
            {text.dryRun}
          </Button>
          <Button
            disabled={!put.data || put.data.applied || changesOf(put.data) === 0}
            loading={put.isPending}
            onClick={() => void apply()}
          >
            {text.apply}
          </Button>
          <Checkbox
            label={text.prune}
            checked={prune}
            onChange={(event) => {
              put.reset();
              setPrune(event.currentTarget.checked);
            }}
          />
        </Group>
      )}
      <div aria-live="polite">
        {put.error instanceof YAMLParseError ? (
          <Alert color="red" title={text.bad}>
            {put.error.message}
          </Alert>
        ) : (
          put.error && <ProblemBox error={put.error} />
        )}
        {put.data && <Shown difference={put.data} />}
      </div>
    </Stack>
  );
}

function changesOf(found: Difference): number {
  return (
    found.added_roles.length +
    found.changed_roles.length +
    found.removed_roles.length +
    found.added_bindings.length +
    found.removed_bindings.length
  );
}

function Shown({ difference }: { difference: Difference }) {
  const text = useTexts(accessTexts).policy;
  const parts = [
    [text.addedRoles, difference.added_roles],
    [text.changedRoles, difference.changed_roles],
    [text.removedRoles, difference.removed_roles],
    [text.addedBindings, difference.added_bindings],
    [text.removedBindings, difference.removed_bindings],
  ] as const;
  if (difference.applied) return <Alert color="green">{text.applied}</Alert>;
  if (changesOf(difference) === 0) return <Alert color="gray">{text.same}</Alert>;
  return (
    <Stack gap="xs">
      {parts
        .filter(([, found]) => found.length > 0)
        .map(([title, found]) => (
          <div key={title}>
            <Text fw={600}>
              {title} ({found.length})
            </Text>
            <Code block>{stringify(found)}</Code>
          </div>
        ))}
    </Stack>
  );
}
