import { Badge, Button, Table, Text, VisuallyHidden } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { commonTexts } from "#/components/texts";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { browserOf } from "./browser";
import { meTexts } from "./texts";

type Session = components["schemas"]["SessionEntry"];

/** Sessions of one's own, or of the account `userId` for those who may see others'. */
export function SessionsSection({ userId }: { userId?: string }) {
  const text = useTexts(meTexts);
  const common = useTexts(commonTexts);
  const queries = useQueryClient();
  const ask = useConfirm();
  const key = ["sessions", userId ?? ""];
  const sessions = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      body(api.GET("/api/sessions", { signal, params: { query: userId ? { user_id: userId } : {} } })),
  });
  const end = useMutation({
    mutationFn: (session_id: string) => api.DELETE("/api/sessions/{session_id}", { params: { path: { session_id } } }),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  const asked = async (session: Session) => {
    const consequence = text.sessions.consequence(session.agent || session.address);
    const yes = await ask({ title: text.sessions.ask, consequence, act: text.sessions.end, destructive: true });
    if (yes) end.mutate(session.session_id);
  };
  return (
    <Section title={text.sessions.title} hint={!userId && text.sessions.hint}>
      {sessions.isError && <ProblemBox error={sessions.error} again={() => void sessions.refetch()} />}
      {end.error && <ProblemBox error={end.error} />}
      {sessions.isPending && <Waiting rows={3} />}
      {sessions.data && (
        <Table withTableBorder aria-label={text.sessions.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.sessions.agent}</Table.Th>
              <Table.Th>{text.sessions.address}</Table.Th>
              <Table.Th>{text.sessions.begun}</Table.Th>
              <Table.Th>{text.sessions.used}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{common.acts}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sessions.data.sessions.map((session) => (
              <Table.Tr key={session.session_id}>
                <Table.Td maw={320}>
                  <Text truncate title={session.agent}>
                    {browserOf(session.agent)}
                  </Text>
                </Table.Td>
                <Table.Td ff="monospace">{session.address}</Table.Td>
                <Table.Td>
                  <Time ms={session.created_ms} />
                </Table.Td>
                <Table.Td>
                  {session.current ? <Badge>{text.sessions.this}</Badge> : <Time ms={session.last_used_ms} />}
                </Table.Td>
                <Table.Td ta="right">
                  {!session.current && (
                    <Button size="compact-xs" variant="default" onClick={() => void asked(session)}>
                      {text.sessions.end}
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}
