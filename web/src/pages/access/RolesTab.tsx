import { Anchor, Badge, Button, Group, Stack, TagsInput, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { type Column, DataTable } from "#/components/DataTable";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { BindingsSection } from "./BindingsSection";
import { type Role, rolesQuery } from "./queries";
import { accessTexts } from "./texts";

const NEW = "*new";

export function RolesTab() {
  const text = useTexts(accessTexts).roles;
  const { role: openName } = useSearch({ from: "/shell/roles" });
  const navigate = useNavigate({ from: "/roles" });
  const { data: me } = useSuspenseQuery(meQuery);
  const roles = useQuery(rolesQuery);
  const [template, setTemplate] = useState<Role | null>(null);
  const open = (role: string) => void navigate({ search: (now) => ({ ...now, role }), replace: true });
  const columns: Column<Role>[] = [
    { id: "name", header: text.name, width: 140, mono: true, value: (role) => role.name },
    { id: "description", header: text.description, width: 260, value: (role) => role.description },
    {
      id: "permissions",
      header: text.permissions,
      width: 380,
      mono: true,
      value: (role) => role.permissions.join(" "),
    },
    {
      id: "builtin",
      header: "",
      width: 120,
      value: (role) => (role.builtin ? text.builtin : ""),
      cell: (role) => role.builtin && <Badge color="gray">{text.builtin}</Badge>,
    },
  ];
  if (roles.isError) return <ProblemBox error={roles.error} again={() => void roles.refetch()} />;
  if (!roles.data) return <Waiting />;
  const opened = openName === NEW ? template : roles.data.roles.find((role) => role.name === openName);
  const begin = (role: Role) => {
    setTemplate(role);
    open(NEW);
  };
  const empty: Role = { name: "", permissions: [], description: "", builtin: false };
  return (
    <div className="access-panes" data-open={opened ? true : undefined}>
      <DataTable
        label={text.title}
        rows={roles.data.roles}
        columns={columns}
        rowKey={(role) => role.name}
        selected={openName}
        onOpen={(role) => open(role.name)}
        toolbar={may(me, "roles:manage") && <Button onClick={() => begin(empty)}>{text.add}</Button>}
      />
      {opened && (
        <RolePanel
          key={openName === NEW ? NEW : opened.name}
          role={opened}
          fresh={openName === NEW}
          known={Object.keys(roles.data.permissions)}
          copy={() => begin({ ...opened, name: "", builtin: false, description: text.copyOf(opened.name) })}
          done={open}
        />
      )}
    </div>
  );
}

interface PanelProps {
  readonly role: Role;
  readonly fresh: boolean;
  readonly known: readonly string[];
  readonly copy: () => void;
  /** Opens the role of that name; "" none. */
  readonly done: (name: string) => void;
}

function RolePanel({ role, fresh, known, copy, done }: PanelProps) {
  const text = useTexts(accessTexts).roles;
  const queries = useQueryClient();
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const [given, setGiven] = useState({ name: role.name, description: role.description, permissions: role.permissions });
  const params = { path: { name: given.name } };
  const settled = () => queries.invalidateQueries({ queryKey: ["roles"] });
  const save = useMutation({
    mutationFn: () => {
      const { description, permissions } = given;
      return body(api.PUT("/api/roles/{name}", { params, body: { description, permissions }, headers: EVERYWHERE }));
    },
    onSuccess: (saved) => done(saved.name),
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: () => api.DELETE("/api/roles/{name}", { params, headers: EVERYWHERE }),
    onSuccess: () => done(""),
    onSettled: settled,
  });
  const asked = async () => {
    const consequence = text.consequence(role.name);
    if (await ask({ title: text.ask, consequence, act: text.remove, destructive: true, word: role.name })) {
      remove.mutate();
    }
  };
  const changeable = may(me, "roles:manage") && !role.builtin;
  const error = save.error ?? remove.error;
  return (
    <section className="access-panel" aria-label={role.name || text.add}>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={2}>{role.name || text.add}</Title>
          {!fresh && (
            <Anchor component={Link} to={`/roles/${encodeURIComponent(role.name)}/try`}>
              {text.try}
            </Anchor>
          )}
        </Group>
        {fresh && (
          <TextInput
            label={text.name}
            required
            autoFocus
            value={given.name}
            onChange={(event) => setGiven({ ...given, name: event.currentTarget.value })}
          />
        )}
        <TextInput
          label={text.description}
          readOnly={!changeable}
          value={given.description}
          onChange={(event) => setGiven({ ...given, description: event.currentTarget.value })}
        />
        <TagsInput
          label={text.permissions}
          description={text.permissionsHint}
          readOnly={!changeable}
          data={["function:*", ...known]}
          value={given.permissions}
          onChange={(permissions) => setGiven({ ...given, permissions })}
        />
        {error && <ProblemBox error={error} />}
        <Group gap="xs">
          {changeable && (
            <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!given.name}>
              {text.save}
            </Button>
          )}
          {!fresh && may(me, "roles:manage") && (
            <Button variant="default" onClick={copy}>
              {text.copy}
            </Button>
          )}
          {changeable && !fresh && (
            <Button variant="default" onClick={() => void asked()}>
              {text.remove}
            </Button>
          )}
        </Group>
        {!fresh && <BindingsSection role={role.name} />}
      </Stack>
    </section>
  );
}
