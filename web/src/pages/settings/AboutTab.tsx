import { Table } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { api, body } from "#/api/client";
import { meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { settingsTexts } from "./texts";

export function AboutTab() {
  const text = useTexts(settingsTexts).about;
  const { data: me } = useSuspenseQuery(meQuery);
  const version = useQuery({
    queryKey: ["version"],
    queryFn: ({ signal }) => body(api.GET("/api/version", { signal })),
  });
  if (version.isError) return <ProblemBox error={version.error} again={() => void version.refetch()} />;
  if (!version.data) return <Waiting rows={3} />;
  return (
    <Table aria-label={text.version} maw={480}>
      <Table.Tbody>
        <Table.Tr>
          <Table.Th>{text.version}</Table.Th>
          <Table.Td ff="monospace">{version.data.version}</Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{text.build}</Table.Th>
          <Table.Td ff="monospace">{version.data.build}</Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{text.you}</Table.Th>
          <Table.Td ff="monospace">{me?.name}</Table.Td>
        </Table.Tr>
      </Table.Tbody>
    </Table>
  );
}
