import { Stack, Table, Text } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { type Me, meQuery } from "#/api/session";
import { PageHeader } from "#/components/PageHeader";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { useTexts } from "#/i18n/texts";
import { PasswordSection } from "./PasswordSection";
import { SecondFactorSection } from "./SecondFactorSection";
import { SessionsSection } from "./SessionsSection";
import { TokensSection } from "./TokensSection";
import { meTexts } from "./texts";

/** What is one's own: rights, password, second factor, sessions, tokens. */
export function MePage() {
  const text = useTexts(meTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  if (!me) return null;
  return (
    <>
      <PageHeader
        title={text.title}
        detail={
          <>
            {me.user?.display_name || me.name} · {me.user?.email || me.name}
            {me.expires_ms > 0 && (
              <>
                {" "}
                · {text.sessionEnds} <Time ms={me.expires_ms} />
              </>
            )}
          </>
        }
      />
      <Stack px="md" pb="xl" gap="xl" maw={820}>
        <Rights me={me} />
        {me.user && (
          <>
            {me.user.has_password && <PasswordSection />}
            <SecondFactorSection hasPassword={me.user.has_password} />
            <SessionsSection />
            <TokensSection permissions={me.may_somewhere} />
          </>
        )}
      </Stack>
    </>
  );
}

function Rights({ me }: { me: Me }) {
  const text = useTexts(meTexts);
  return (
    <Section title={text.roles} hint={me.root ? text.root : text.rolesHint}>
      {me.user && me.user.groups.length > 0 && (
        <Text>
          {text.groups}: {me.user.groups.join(", ")}
        </Text>
      )}
      {me.roles.length === 0 && !me.root && <Text>{text.noRoles}</Text>}
      {me.roles.length > 0 && (
        <Table withTableBorder aria-label={text.roles}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.role}</Table.Th>
              <Table.Th>{text.where}</Table.Th>
              <Table.Th>{text.by}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {me.roles.map((held) => (
              <Table.Tr key={`${held.role} ${held.subject} ${held.game_id} ${held.env}`}>
                <Table.Td>{held.role}</Table.Td>
                <Table.Td>{held.game_id ? `${held.game_id}${held.env && ` / ${held.env}`}` : text.everywhere}</Table.Td>
                <Table.Td ff="monospace">{held.subject}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
