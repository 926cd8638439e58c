import { Alert, Button, Divider, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, setStanding } from "#/api/client";
import { ProblemError } from "#/api/problem";
import { meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { Door } from "./Door";
import { loginTexts } from "./texts";

/** Name, password and, where asked, a code; or an identity provider. As a `page` it stands in the middle of nothing else. */
export function SignIn({ page = false, refused = "" }: { page?: boolean; refused?: string }) {
  const text = useTexts(loginTexts);
  if (!page) return <SignInForm />;
  return (
    <Door title={text.title}>
      {refused && (
        <Alert color="orange" mb="sm">
          {refused}
        </Alert>
      )}
      <SignInForm />
    </Door>
  );
}

function SignInForm() {
  const text = useTexts(loginTexts);
  const queries = useQueryClient();
  const [given, setGiven] = useState({ name: "", password: "", code: "" });
  const methods = useQuery({
    queryKey: ["login-methods"],
    queryFn: ({ signal }) => body(api.GET("/api/login/methods", { signal })),
  });
  const signIn = useMutation({
    mutationFn: () => body(api.POST("/api/login", { body: given })),
    onSuccess: async (known) => {
      setStanding({ csrf: known.csrf_token });
      await queries.refetchQueries({ queryKey: meQuery.queryKey });
      void queries.invalidateQueries();
    },
  });
  const asksCode = signIn.error instanceof ProblemError && signIn.error.problem.second_factor === true;
  const [codeAsked, setCodeAsked] = useState(false);
  if (asksCode && !codeAsked) setCodeAsked(true);
  const field = (name: keyof typeof given) => ({
    value: given[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setGiven((now) => ({ ...now, [name]: value }));
    },
  });
  const here = globalThis.location.pathname + globalThis.location.search;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate();
      }}
    >
      <Stack gap="sm">
        <TextInput label={text.name} autoComplete="username" required autoFocus {...field("name")} />
        <PasswordInput label={text.password} autoComplete="current-password" required {...field("password")} />
        {codeAsked && (
          <TextInput
            label={text.code}
            description={text.codeHint}
            autoComplete="one-time-code"
            autoFocus
            {...field("code")}
          />
        )}
        {signIn.error && !(asksCode && given.code === "") && <ProblemBox error={signIn.error} />}
        <Button type="submit" loading={signIn.isPending}>
          {text.signIn}
        </Button>
        {(methods.data?.providers.length ?? 0) > 0 && <Divider label={text.or} />}
        {methods.data?.providers.map((provider) => (
          <Button
            key={provider.path}
            variant="default"
            component="a"
            href={`${provider.path}?return_to=${encodeURIComponent(here)}`}
          >
            {text.by(provider.name)}
          </Button>
        ))}
      </Stack>
    </form>
  );
}
