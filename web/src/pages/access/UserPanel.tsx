import { Button, CloseButton, Group, Stack, TagsInput, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { type Question, useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { SessionsSection } from "#/pages/me/SessionsSection";
import { TokensSection } from "#/pages/me/TokensSection";
import { BindingsSection } from "./BindingsSection";
import type { User } from "./queries";
import { accessTexts } from "./texts";
import { Invitation } from "./UsersPage";

/** One account beside the list: what it is called, holds and has open. */
export function UserPanel({ user, close }: { user: User; close: () => void }) {
  const text = useTexts(accessTexts).users;
  const { data: me } = useSuspenseQuery(meQuery);
  return (
    <section className="access-panel" aria-label={user.name}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{user.display_name || user.name}</Title>
        <CloseButton aria-label={text.close} onClick={close} />
      </Group>
      <Stack gap="lg">
        {may(me, "users:manage") && (
          <>
            <Edit user={user} />
            <Acts user={user} />
          </>
        )}
        <BindingsSection subject={`user:${user.name}`} />
        {may(me, "sessions:manage") && <SessionsSection userId={user.user_id} />}
        {may(me, "tokens:manage") && <TokensSection permissions={[]} userId={user.user_id} />}
      </Stack>
    </section>
  );
}

function Edit({ user }: { user: User }) {
  const text = useTexts(accessTexts).users;
  const queries = useQueryClient();
  const [given, setGiven] = useState({ display_name: user.display_name, email: user.email, groups: user.groups });
  const save = useMutation({
    mutationFn: () => {
      const params = { path: { user_id: user.user_id } };
      return body(api.PATCH("/api/users/{user_id}", { params, body: given, headers: EVERYWHERE }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="xs">
        <TextInput
          label={text.displayName}
          value={given.display_name}
          onChange={(event) => setGiven({ ...given, display_name: event.currentTarget.value })}
        />
        <TextInput
          label={text.email}
          value={given.email}
          onChange={(event) => setGiven({ ...given, email: event.currentTarget.value })}
        />
        <TagsInput
          label={text.groups}
          description={text.groupsHint}
          value={given.groups}
          onChange={(groups) => setGiven({ ...given, groups })}
        />
        {save.error && <ProblemBox error={save.error} />}
        <Group gap="xs">
          <Button type="submit" loading={save.isPending}>
            {text.save}
          </Button>
          {save.isSuccess && <Text role="status">{text.saved}</Text>}
        </Group>
      </Stack>
    </form>
  );
}

type Deed = "disable" | "enable" | "invite" | "factor" | "end";

function Acts({ user }: { user: User }) {
  const text = useTexts(accessTexts).users;
  const ask = useConfirm();
  const act = useAct(user);
  const name = user.display_name || user.name;
  const asked = async (deed: Deed, title: string, consequence: string, verb: string) => {
    const question: Question = { title, consequence, act: verb, destructive: true };
    if (await ask(question)) act.mutate(deed);
  };
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {user.disabled ? (
          <Button variant="default" onClick={() => act.mutate("enable")}>
            {text.enable}
          </Button>
        ) : (
          <Button
            variant="default"
            onClick={() => void asked("disable", text.askDisable, text.disableConsequence(name), text.disable)}
          >
            {text.disable}
          </Button>
        )}
        <Button
          variant="default"
          onClick={() => void asked("invite", text.askInvite, text.inviteConsequence(name), text.newInvitation)}
        >
          {text.newInvitation}
        </Button>
        <Button
          variant="default"
          onClick={() => void asked("factor", text.askFactor, text.factorConsequence(name), text.resetFactor)}
        >
          {text.resetFactor}
        </Button>
        <Button
          variant="default"
          onClick={() => void asked("end", text.askEnd, text.endConsequence(name), text.endAll)}
        >
          {text.endAll}
        </Button>
      </Group>
      {act.error && <ProblemBox error={act.error} />}
      {act.data && <Invitation made={act.data} />}
    </Stack>
  );
}

/** Does it; of an invitation the answer has the secret. */
function useAct(user: User) {
  const queries = useQueryClient();
  const options = { params: { path: { user_id: user.user_id } }, headers: EVERYWHERE };
  return useMutation({
    mutationFn: async (deed: Deed) => {
      if (deed === "invite") return body(api.POST("/api/users/{user_id}/password", { ...options, body: {} }));
      if (deed === "disable") await api.POST("/api/users/{user_id}/disable", options);
      if (deed === "enable") await api.POST("/api/users/{user_id}/enable", options);
      if (deed === "factor") await api.DELETE("/api/users/{user_id}/second_factor", options);
      if (deed === "end") await api.POST("/api/users/{user_id}/revoke", options);
      return null;
    },
    onSettled: () =>
      Promise.all(
        [["users"], ["sessions", user.user_id], ["tokens", user.user_id]].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
