import { Autocomplete, Button, Group, Select, Table, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { commonTexts } from "#/components/texts";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { type Binding, bindingsQuery, gamesQuery, rolesQuery, whereOf } from "./queries";
import { accessTexts } from "./texts";

/** Bindings of one subject or role, or all, with the means to change them. */
export function BindingsSection({ subject, role }: { subject?: string; role?: string }) {
  const text = useTexts(accessTexts).bindings;
  const queries = useQueryClient();
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const filter = { ...(subject && { subject }), ...(role && { role }) };
  const bindings = useQuery({ ...bindingsQuery(filter), enabled: may(me, "roles:read") });
  const remove = useMutation({
    mutationFn: (binding_id: string) =>
      api.DELETE("/api/bindings/{binding_id}", { params: { path: { binding_id } }, headers: EVERYWHERE }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["bindings"] }),
  });
  if (!may(me, "roles:read")) return null;
  const asked = async (binding: Binding) => {
    const consequence = text.consequence(binding.subject, binding.role);
    if (await ask({ title: text.ask, consequence, act: text.remove, destructive: true })) {
      remove.mutate(binding.binding_id);
    }
  };
  const changeable = may(me, "roles:manage");
  return (
    <Section title={text.title} hint={text.hint}>
      {bindings.isError && <ProblemBox error={bindings.error} again={() => void bindings.refetch()} />}
      {remove.error && <ProblemBox error={remove.error} />}
      {bindings.isPending && <Waiting rows={2} />}
      {bindings.data?.bindings.length === 0 && <Text c="dimmed">{text.none}</Text>}
      {bindings.data && bindings.data.bindings.length > 0 && (
        <Bound
          bindings={bindings.data.bindings}
          withSubject={!subject}
          remove={changeable ? (binding) => void asked(binding) : undefined}
        />
      )}
      {changeable && <Add {...(subject && { subject })} {...(role && { role })} />}
    </Section>
  );
}

interface BoundProps {
  readonly bindings: readonly Binding[];
  readonly withSubject: boolean;
  readonly remove: ((binding: Binding) => void) | undefined;
}

function Bound({ bindings, withSubject, remove }: BoundProps) {
  const text = useTexts(accessTexts).bindings;
  const common = useTexts(commonTexts);
  return (
    <Table withTableBorder aria-label={text.title}>
      <Table.Thead>
        <Table.Tr>
          {withSubject && <Table.Th>{text.subject}</Table.Th>}
          <Table.Th>{text.role}</Table.Th>
          <Table.Th>{text.where}</Table.Th>
          <Table.Th>{text.by}</Table.Th>
          {remove && (
            <Table.Th>
              <VisuallyHidden>{common.acts}</VisuallyHidden>
            </Table.Th>
          )}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {bindings.map((binding) => (
          <Table.Tr key={binding.binding_id}>
            {withSubject && <Table.Td ff="monospace">{binding.subject}</Table.Td>}
            <Table.Td>{binding.role}</Table.Td>
            <Table.Td>{whereOf(binding, text.all)}</Table.Td>
            <Table.Td>{binding.created_by}</Table.Td>
            {remove && (
              <Table.Td ta="right">
                <Button size="compact-xs" variant="default" onClick={() => remove(binding)}>
                  {text.remove}
                </Button>
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Add({ subject, role }: { subject?: string; role?: string }) {
  const text = useTexts(accessTexts).bindings;
  const queries = useQueryClient();
  const roles = useQuery(rolesQuery);
  const games = useQuery(gamesQuery);
  const [given, setGiven] = useState({ subject: subject ?? "", role: role ?? "", game_id: "", env: "" });
  const change = (change: Partial<typeof given>) => setGiven((now) => ({ ...now, ...change }));
  const add = useMutation({
    mutationFn: () => body(api.POST("/api/bindings", { body: given, headers: EVERYWHERE })),
    onSuccess: () => {
      change({ ...(!subject && { subject: "" }) });
      return queries.invalidateQueries({ queryKey: ["bindings"] });
    },
  });
  const game = games.data?.games.find((game) => game.game_id === given.game_id);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Group gap="xs" align="flex-end">
        {!subject && (
          <TextInput
            label={text.subject}
            placeholder={text.subjectHint}
            w={240}
            required
            value={given.subject}
            onChange={(event) => change({ subject: event.currentTarget.value })}
          />
        )}
        {!role && (
          <Select
            label={text.role}
            w={130}
            required
            searchable
            data={roles.data?.roles.map((role) => role.name) ?? []}
            value={given.role || null}
            onChange={(role) => change({ role: role ?? "" })}
          />
        )}
        <Autocomplete
          label={text.game}
          placeholder={text.all}
          w={110}
          data={games.data?.games.map((game) => game.game_id) ?? []}
          value={given.game_id}
          onChange={(game_id) => change({ game_id, env: "" })}
        />
        <Autocomplete
          label={text.env}
          placeholder={text.all}
          w={90}
          data={game?.envs.map((env) => env.env) ?? []}
          value={given.env}
          onChange={(env) => change({ env })}
        />
        <Button type="submit" loading={add.isPending} disabled={!given.subject || !given.role}>
          {text.add}
        </Button>
      </Group>
      {add.error && <ProblemBox error={add.error} />}
    </form>
  );
}
