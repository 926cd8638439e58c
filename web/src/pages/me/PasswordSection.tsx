import { Button, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "#/api/client";
import { meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { useTexts } from "#/i18n/texts";
import { isChosen, NewPassword, NOTHING_CHOSEN } from "#/pages/login/NewPassword";
import { meTexts } from "./texts";

export function PasswordSection() {
  const text = useTexts(meTexts);
  const queries = useQueryClient();
  const [current, setCurrent] = useState("");
  const [chosen, setChosen] = useState(NOTHING_CHOSEN);
  const change = useMutation({
    mutationFn: () => api.POST("/api/me/password", { body: { current, password: chosen.password } }),
    onSuccess: async () => {
      setCurrent("");
      setChosen(NOTHING_CHOSEN);
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      await queries.invalidateQueries({ queryKey: ["sessions"] });
    },
  });
  return (
    <Section title={text.password.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Stack gap="xs" maw={320}>
          <PasswordInput
            label={text.password.current}
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
          <NewPassword value={chosen} onChange={setChosen} />
          {change.error && <ProblemBox error={change.error} />}
          {change.isSuccess && <Text role="status">{text.password.done}</Text>}
          <Button type="submit" w="fit-content" loading={change.isPending} disabled={!current || !isChosen(chosen)}>
            {text.password.act}
          </Button>
        </Stack>
      </form>
    </Section>
  );
}
