import { Alert, Button, Group, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { StateBadge } from "#/components/badges";
import { CopyField } from "#/components/CopyField";
import { type Column, DataTable } from "#/components/DataTable";
import { Dialog } from "#/components/Dialog";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { type User, type UserInvited, usersQuery } from "./queries";
import { accessTexts } from "./texts";
import { UserPanel } from "./UserPanel";
import "./access.css";

/** Accounts: who they are, what they hold, and the ways to let somebody in or keep somebody out. */
export function UsersPage() {
  const text = useTexts(accessTexts).users;
  const { user: openId } = useSearch({ from: "/shell/users" });
  const navigate = useNavigate({ from: "/users" });
  const { data: me } = useSuspenseQuery(meQuery);
  const users = useInfiniteQuery(usersQuery);
  const [inviting, invite] = useDisclosure(false);
  const columns = useColumns();
  const rows = users.data?.pages.flatMap((page) => page.users) ?? [];
  const opened = rows.find((user) => user.user_id === openId);
  const open = (user?: User) =>
    void navigate({ search: (now) => ({ ...now, user: user?.user_id ?? "" }), replace: true });
  return (
    <>
      <PageHeader title={text.title}>
        {may(me, "users:manage") && <Button onClick={invite.open}>{text.invite}</Button>}
      </PageHeader>
      <Dialog opened={inviting} onClose={invite.close} title={text.invite}>
        <Invite />
      </Dialog>
      {users.isError && <ProblemBox error={users.error} again={() => void users.refetch()} />}
      {users.isPending && <Waiting />}
      {users.data && (
        <div className="access-panes" data-open={opened ? true : undefined}>
          <DataTable
            label={text.title}
            rows={rows}
            columns={columns}
            rowKey={(user) => user.user_id}
            selected={openId}
            onOpen={open}
            {...(users.hasNextPage && { loadMore: () => void users.fetchNextPage() })}
            empty={<EmptyState title={text.none} hint={text.noneHint} />}
          />
          {opened && <UserPanel key={opened.user_id} user={opened} close={() => open()} />}
        </div>
      )}
    </>
  );
}

function useColumns(): Column<User>[] {
  const text = useTexts(accessTexts).users;
  const state = (user: User) =>
    user.disabled ? "disabled" : user.invited_until_ms > Date.now() ? "invited" : "active";
  return [
    { id: "name", header: text.name, width: 140, mono: true, value: (user) => user.name },
    { id: "shown", header: text.displayName, width: 160, value: (user) => user.display_name },
    { id: "email", header: text.email, width: 200, value: (user) => user.email },
    { id: "groups", header: text.groups, width: 200, value: (user) => user.groups.join(", ") },
    {
      id: "state",
      header: text.state,
      width: 90,
      value: (user) => text[state(user)],
      cell: (user) => <StateBadge state={state(user)} label={text[state(user)]} />,
    },
    {
      id: "created",
      header: text.created,
      width: 110,
      value: (user) => user.created_ms,
      cell: (user) => <Time ms={user.created_ms} />,
    },
  ];
}

function Invite() {
  const text = useTexts(accessTexts).users;
  const queries = useQueryClient();
  const [given, setGiven] = useState({ name: "", display_name: "", email: "", groups: [] as string[] });
  const make = useMutation({
    mutationFn: () => body(api.POST("/api/users", { body: given, headers: EVERYWHERE })),
    onSuccess: () => queries.invalidateQueries({ queryKey: usersQuery.queryKey }),
  });
  if (make.data) return <Invitation made={make.data} />;
  const field = (name: "name" | "display_name" | "email") => ({
    value: given[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setGiven((now) => ({ ...now, [name]: value }));
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Stack gap="xs">
        <TextInput label={text.name} required data-autofocus {...field("name")} />
        <TextInput label={text.displayName} {...field("display_name")} />
        <TextInput label={text.email} type="email" {...field("email")} />
        <TagsInput
          label={text.groups}
          description={text.groupsHint}
          value={given.groups}
          onChange={(groups) => setGiven((now) => ({ ...now, groups }))}
        />
        {make.error && <ProblemBox error={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending} disabled={!given.name}>
            {text.make}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The secret that sets a password once, as the link that takes it. */
export function Invitation({ made }: { made: UserInvited }) {
  const text = useTexts(accessTexts).users;
  if (!made.invitation) return null;
  // The server knows where people open it; else this is where it was opened now.
  const link = made.link ?? `${globalThis.location.origin}/invitation#${encodeURIComponent(made.invitation)}`;
  return (
    <Alert color="yellow" title={text.invitation} role="status">
      <CopyField value={link} label={text.invite} />
      <Text mt={4}>
        {text.until} <Time ms={made.invited_until_ms} exact />
      </Text>
    </Alert>
  );
}
