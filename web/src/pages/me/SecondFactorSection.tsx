import { Alert, Button, Code, Group, Image, PasswordInput, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import { CopyField } from "#/components/CopyField";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { meTexts } from "./texts";

const KEY = ["second-factor"];

type Enrolment = components["schemas"]["SecondFactorEnrolment"];

export function SecondFactorSection({ hasPassword }: { hasPassword: boolean }) {
  const text = useTexts(meTexts);
  const queries = useQueryClient();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const standing = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => body(api.GET("/api/me/second_factor", { signal })),
  });
  const got = (found: readonly string[]) => {
    setCodes(found);
    void queries.invalidateQueries({ queryKey: KEY });
  };
  const { data } = standing;
  return (
    <Section
      title={text.factor.title}
      hint={data && (data.enrolled ? text.factor.on(data.recovery_codes) : text.factor.off)}
    >
      {standing.isError && <ProblemBox error={standing.error} again={() => void standing.refetch()} />}
      {codes.length > 0 && <RecoveryCodes codes={codes} kept={() => setCodes([])} />}
      {!data && standing.isPending && <Waiting rows={2} />}
      {data && (data.enrolled ? <Enrolled got={got} /> : <Enrol hasPassword={hasPassword} got={got} />)}
    </Section>
  );
}

function RecoveryCodes({ codes, kept }: { codes: readonly string[]; kept: () => void }) {
  const text = useTexts(meTexts);
  return (
    <Alert color="yellow" title={text.factor.codes} role="status">
      <Text mb="xs">{text.factor.codesHint}</Text>
      <SimpleGrid cols={5} spacing="xs" maw={560}>
        {codes.map((code) => (
          <Code key={code}>{code}</Code>
        ))}
      </SimpleGrid>
      <Group mt="xs">
        <CopyField value={codes.join(" ")} label={text.factor.codes} />
      </Group>
      <Button mt="xs" variant="default" onClick={kept}>
        {text.factor.kept}
      </Button>
    </Alert>
  );
}

function Enrol({ hasPassword, got }: { hasPassword: boolean; got: (codes: readonly string[]) => void }) {
  const text = useTexts(meTexts);
  const [password, setPassword] = useState("");
  const begin = useMutation({
    mutationFn: () => body(api.POST("/api/me/second_factor", { body: { password } })),
  });
  if (begin.data) return <Confirm enrolment={begin.data} got={got} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        begin.mutate();
      }}
    >
      <Stack gap="xs" maw={320}>
        {hasPassword && (
          <PasswordInput
            label={text.factor.passwordAsked}
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        )}
        {begin.error && <ProblemBox error={begin.error} />}
        <Button type="submit" w="fit-content" loading={begin.isPending} disabled={hasPassword && !password}>
          {text.factor.begin}
        </Button>
      </Stack>
    </form>
  );
}

function Confirm({ enrolment, got }: { enrolment: Enrolment; got: (codes: readonly string[]) => void }) {
  const text = useTexts(meTexts);
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => body(api.POST("/api/me/second_factor/confirm", { body: { code } })),
    onSuccess: (found) => got(found.recovery_codes),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate();
      }}
    >
      <Stack gap="xs" maw={420}>
        <Text>{text.factor.scan}</Text>
        {/* White behind it in the dark theme too: that is what cameras read. */}
        <Image
          src={`data:image/svg+xml;utf8,${encodeURIComponent(enrolment.qr_svg)}`}
          alt={text.factor.qr}
          w={180}
          h={180}
          bg="white"
          p={8}
        />
        <CopyField value={enrolment.secret} label={text.factor.key} />
        <TextInput
          label={text.factor.code}
          description={text.factor.confirmHint}
          autoComplete="one-time-code"
          inputMode="numeric"
          required
          autoFocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        {confirm.error && <ProblemBox error={confirm.error} />}
        <Button type="submit" w="fit-content" loading={confirm.isPending} disabled={!code}>
          {text.factor.confirm}
        </Button>
      </Stack>
    </form>
  );
}

function Enrolled({ got }: { got: (codes: readonly string[]) => void }) {
  const text = useTexts(meTexts);
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const renew = useMutation({
    mutationFn: () => body(api.POST("/api/me/second_factor/recovery_codes", { body: { code } })),
    onSuccess: (found) => {
      setCode("");
      got(found.recovery_codes);
    },
  });
  const remove = useMutation({
    mutationFn: () => body(api.POST("/api/me/second_factor/remove", { body: { code } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const error = renew.error ?? remove.error;
  return (
    <Stack gap="xs" maw={420}>
      <TextInput
        label={text.factor.code}
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      {error && <ProblemBox error={error} />}
      <Group gap="xs">
        <Button variant="default" disabled={!code} loading={renew.isPending} onClick={() => renew.mutate()}>
          {text.factor.newCodes}
        </Button>
        <Button variant="default" disabled={!code} loading={remove.isPending} onClick={() => remove.mutate()}>
          {text.factor.remove}
        </Button>
      </Group>
    </Stack>
  );
}
