import { Alert, Button, Code, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import { ProblemError } from "#/api/problem";
import type { components } from "#/api/schema";
import { maySomewhere, meQuery } from "#/api/session";
import { StateBadge } from "#/components/badges";
import { useConfirm } from "#/components/Confirm";
import { CopyField } from "#/components/CopyField";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { Rows } from "./Rows";
import { ScopeFields, useWhereText } from "./ScopeFields";
import { settingsTexts } from "./texts";

const CERTIFICATES = ["machines", "certificates"];
const TOKENS = ["machines", "tokens"];
const ROLES = ["agent", "edge", "server", "game"];

type Certificate = components["schemas"]["CertificateEntry"];
type JoinToken = components["schemas"]["JoinTokenEntry"];

export function MachinesTab() {
  const { data: me } = useSuspenseQuery(meQuery);
  const manages = maySomewhere(me, "machines:manage");
  return (
    <Stack gap="xl">
      <Authority />
      <Certificates manages={manages} />
      <Tokens manages={manages} />
    </Stack>
  );
}

function Authority() {
  const text = useTexts(settingsTexts).machines;
  const ca = useQuery({
    queryKey: ["machines", "ca"],
    queryFn: ({ signal }) => body(api.GET("/api/machines/ca", { signal, headers: EVERYWHERE })),
    retry: false,
  });
  const without = ca.error instanceof ProblemError && ca.error.problem.reason === "failed_precondition";
  return (
    <Section title={text.ca}>
      {ca.isError && without && (
        <Alert color="gray" title={text.noCa} role="note">
          {text.noCaHint} <Code>croupier ca init</Code>
        </Alert>
      )}
      {ca.isError && !without && <ProblemBox error={ca.error} />}
      {ca.isPending && <Waiting rows={1} />}
      {ca.data && (
        <>
          <Text>
            {text.deployment}: <b>{ca.data.deployment}</b>
          </Text>
          <CopyField value={ca.data.fingerprint} label={text.fingerprint} />
        </>
      )}
    </Section>
  );
}

function Certificates({ manages }: { manages: boolean }) {
  const text = useTexts(settingsTexts);
  const queries = useQueryClient();
  const ask = useConfirm();
  const found = useQuery({
    queryKey: CERTIFICATES,
    queryFn: ({ signal }) => body(api.GET("/api/machines/certificates", { signal, headers: EVERYWHERE })),
    retry: false,
  });
  const revoke = useMutation({
    mutationFn: (serial: string) =>
      body(
        api.POST("/api/machines/certificates/{serial}/revoke", {
          params: { path: { serial } },
          body: {},
          headers: EVERYWHERE,
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: CERTIFICATES }),
  });
  const asked = async ({ identity, serial }: Certificate) => {
    const consequence = text.machines.revokeConsequence(identity);
    const question = { title: text.machines.askRevoke, consequence, act: text.machines.revoke, destructive: true };
    if (await ask(question)) revoke.mutate(serial);
  };
  return (
    <Section title={text.machines.certificates}>
      {found.isError && <ProblemBox error={found.error} />}
      {revoke.error && <ProblemBox error={revoke.error} />}
      {found.data?.certificates.length === 0 && <EmptyState title={text.machines.noCertificates} />}
      {found.data && found.data.certificates.length > 0 && (
        <Rows
          label={text.machines.certificates}
          head={[text.machines.identity, text.state, text.machines.notAfter, text.by, text.machines.serial]}
          rows={found.data.certificates.map((certificate) => ({
            key: certificate.serial,
            cells: [
              certificate.identity,
              <StateBadge key="state" state={certificate.state} />,
              <Time key="until" ms={certificate.not_after_ms} />,
              certificate.issued_by,
              certificate.serial,
            ],
            acts: manages && certificate.revoked_ms === 0 && (
              <Button size="compact-xs" variant="default" onClick={() => void asked(certificate)}>
                {text.machines.revoke}
              </Button>
            ),
          }))}
        />
      )}
    </Section>
  );
}

function Tokens({ manages }: { manages: boolean }) {
  const text = useTexts(settingsTexts);
  const where = useWhereText();
  const queries = useQueryClient();
  const ask = useConfirm();
  const found = useQuery({
    queryKey: TOKENS,
    queryFn: ({ signal }) => body(api.GET("/api/machines/join_tokens", { signal, headers: EVERYWHERE })),
    retry: false,
  });
  const withdraw = useMutation({
    mutationFn: (token_id: string) => {
      const params = { path: { token_id } };
      return api.DELETE("/api/machines/join_tokens/{token_id}", { params, headers: EVERYWHERE });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: TOKENS }),
  });
  const asked = async (token: JoinToken) => {
    const consequence = text.machines.withdrawConsequence;
    const question = { title: text.machines.askWithdraw, consequence, act: text.machines.withdraw, destructive: true };
    if (await ask(question)) withdraw.mutate(token.id);
  };
  return (
    <Section title={text.machines.tokens} hint={text.machines.tokensHint}>
      {found.isError && <ProblemBox error={found.error} />}
      {withdraw.error && <ProblemBox error={withdraw.error} />}
      {found.data?.join_tokens.length === 0 && <EmptyState title={text.machines.noTokens} />}
      {found.data && found.data.join_tokens.length > 0 && (
        <Rows
          label={text.machines.tokens}
          head={[
            text.machines.role,
            `${text.game} / ${text.env}`,
            text.machines.id,
            text.state,
            text.machines.expires,
            text.by,
          ]}
          rows={found.data.join_tokens.map((token) => ({
            key: token.id,
            cells: [
              token.role,
              where(token),
              token.machine_id,
              <StateBadge key="state" state={token.state} />,
              <Time key="expires" ms={token.expires_ms} />,
              token.created_by,
            ],
            acts: manages && token.used_ms === 0 && token.state !== "revoked" && (
              <Button size="compact-xs" variant="default" onClick={() => void asked(token)}>
                {text.machines.withdraw}
              </Button>
            ),
          }))}
        />
      )}
      {manages && found.data && <Make />}
    </Section>
  );
}

function Make() {
  const text = useTexts(settingsTexts);
  const queries = useQueryClient();
  const [given, setGiven] = useState({ role: "agent", game_id: "", env: "", id: "", hosts: "", expires_in: "1h" });
  const make = useMutation({
    mutationFn: () => {
      const hosts = given.hosts.split(/[\s,]+/).filter(Boolean);
      return body(api.POST("/api/machines/join_tokens", { body: { ...given, hosts }, headers: EVERYWHERE }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: TOKENS }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Stack gap="xs">
        <Group gap="xs" align="flex-end">
          <Select
            label={text.machines.role}
            w={100}
            allowDeselect={false}
            data={ROLES}
            value={given.role}
            onChange={(role) => setGiven({ ...given, role: role ?? "agent" })}
          />
          <ScopeFields value={given} onChange={(where) => setGiven({ ...given, ...where })} />
          <TextInput
            label={text.machines.id}
            w={140}
            value={given.id}
            onChange={(event) => setGiven({ ...given, id: event.currentTarget.value })}
          />
          <TextInput
            label={text.machines.hosts}
            w={180}
            value={given.hosts}
            onChange={(event) => setGiven({ ...given, hosts: event.currentTarget.value })}
          />
          <TextInput
            label={text.machines.expires}
            w={80}
            value={given.expires_in}
            onChange={(event) => setGiven({ ...given, expires_in: event.currentTarget.value })}
          />
          <Button type="submit" loading={make.isPending}>
            {text.machines.make}
          </Button>
        </Group>
        {make.error && <ProblemBox error={make.error} />}
        {make.data && (
          <Alert color="yellow" title={text.machines.made} role="status">
            <CopyField value={make.data.token} label={text.machines.made} />
          </Alert>
        )}
      </Stack>
    </form>
  );
}
