import {
  Alert,
  Button,
  Group,
  MultiSelect,
  Select,
  Stack,
  Table,
  Text,
  TextInput,
  VisuallyHidden,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import { useConfirm } from "#/components/Confirm";
import { CopyField } from "#/components/CopyField";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { commonTexts } from "#/components/texts";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { meTexts } from "./texts";

const LIVES = [1, 7, 30, 90, 365];

type Token = components["schemas"]["TokenEntry"];

/** API tokens of one's own, or of the account `userId` for those who may see others'. */
export function TokensSection({ permissions, userId }: { permissions: readonly string[]; userId?: string }) {
  const text = useTexts(meTexts);
  const common = useTexts(commonTexts);
  const queries = useQueryClient();
  const ask = useConfirm();
  const key = ["tokens", userId ?? ""];
  const tokens = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      body(api.GET("/api/tokens", { signal, params: { query: userId ? { user_id: userId } : {} } })),
  });
  const revoke = useMutation({
    mutationFn: (token_id: string) => api.DELETE("/api/tokens/{token_id}", { params: { path: { token_id } } }),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  const asked = async (token: Token) => {
    const consequence = text.tokens.consequence(token.name);
    if (await ask({ title: text.tokens.ask, consequence, act: text.tokens.revoke, destructive: true })) {
      revoke.mutate(token.token_id);
    }
  };
  return (
    <Section title={text.tokens.title} hint={!userId && text.tokens.hint}>
      {tokens.isError && <ProblemBox error={tokens.error} again={() => void tokens.refetch()} />}
      {revoke.error && <ProblemBox error={revoke.error} />}
      {tokens.isPending && <Waiting rows={2} />}
      {tokens.data?.tokens.length === 0 && <Text c="dimmed">{text.tokens.none}</Text>}
      {tokens.data && tokens.data.tokens.length > 0 && (
        <Table withTableBorder aria-label={text.tokens.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.tokens.name}</Table.Th>
              <Table.Th>{text.tokens.limitedTo}</Table.Th>
              <Table.Th>{text.tokens.used}</Table.Th>
              <Table.Th>{text.tokens.expires}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{common.acts}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tokens.data.tokens.map((token) => (
              <Table.Tr key={token.token_id}>
                <Table.Td>{token.name}</Table.Td>
                <Table.Td>{token.permissions?.join(", ") ?? text.tokens.all}</Table.Td>
                <Table.Td>
                  <Time ms={token.last_used_ms} />
                </Table.Td>
                <Table.Td>
                  <Time ms={token.expires_ms} />
                </Table.Td>
                <Table.Td ta="right">
                  <Button size="compact-xs" variant="default" onClick={() => void asked(token)}>
                    {text.tokens.revoke}
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {!userId && (
        <MakeToken permissions={permissions} made={() => void queries.invalidateQueries({ queryKey: key })} />
      )}
    </Section>
  );
}

function MakeToken({ permissions, made }: { permissions: readonly string[]; made: () => void }) {
  const text = useTexts(meTexts);
  const [name, setName] = useState("");
  const [days, setDays] = useState("30");
  const [only, setOnly] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/tokens", {
          body: { name, expires_in: `${Number(days) * 24}h`, permissions: only.length > 0 ? only : null },
        }),
      ),
    onSuccess: () => {
      setName("");
      made();
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
        <Group align="flex-end" gap="xs">
          <TextInput
            label={text.tokens.name}
            required
            maxLength={64}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={text.tokens.expiresIn}
            w={110}
            allowDeselect={false}
            value={days}
            onChange={(value) => setDays(value ?? days)}
            data={LIVES.map((days) => ({ value: String(days), label: text.tokens.days(days) }))}
          />
          <MultiSelect
            label={text.tokens.limitedTo}
            placeholder={only.length ? "" : text.tokens.limitedToHint}
            w={300}
            searchable
            data={["function:*", ...permissions]}
            value={only}
            onChange={setOnly}
          />
          <Button type="submit" loading={make.isPending} disabled={!name}>
            {text.tokens.make}
          </Button>
        </Group>
        {make.error && <ProblemBox error={make.error} />}
        {make.data && (
          <Alert color="yellow" title={text.tokens.made} role="status">
            <CopyField value={make.data.token} label={text.tokens.made} />
          </Alert>
        )}
      </Stack>
    </form>
  );
}
