import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, body, setStanding } from "#/api/client";
import { meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { Door } from "./Door";
import { isChosen, NewPassword, NOTHING_CHOSEN } from "./NewPassword";
import { secretInAddress } from "./secret";
import { loginTexts } from "./texts";

/** `/setup#SECRET`, as `croupier server` prints it while nobody has an account. */
export function SetupPage() {
  const text = useTexts(loginTexts);
  const [token] = useState(secretInAddress);
  return (
    <Door title={text.setup.title}>
      {token ? <SetupForm token={token} /> : <Alert color="red">{text.setup.noSecret}</Alert>}
    </Door>
  );
}

function SetupForm({ token }: { token: string }) {
  const text = useTexts(loginTexts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [shown, setShown] = useState("");
  const [chosen, setChosen] = useState(NOTHING_CHOSEN);
  const setup = useMutation({
    mutationFn: () =>
      body(api.POST("/api/setup", { body: { token, name, password: chosen.password, display_name: shown } })),
    onSuccess: async (known) => {
      setStanding({ csrf: known.csrf_token });
      await queries.refetchQueries({ queryKey: meQuery.queryKey });
      await navigate({ to: "/", replace: true });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setup.mutate();
      }}
    >
      <Stack gap="sm">
        <Text>{text.setup.hint}</Text>
        <TextInput
          label={text.name}
          autoComplete="username"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={text.setup.displayName}
          autoComplete="name"
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value)}
        />
        <NewPassword value={chosen} onChange={setChosen} />
        {setup.error && <ProblemBox error={setup.error} />}
        <Button type="submit" loading={setup.isPending} disabled={!name || !isChosen(chosen)}>
          {text.setup.act}
        </Button>
      </Stack>
    </form>
  );
}
