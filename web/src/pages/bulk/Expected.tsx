import { Button, Stack, Table, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, body } from "#/api/client";
import { ProblemError } from "#/api/problem";
import { download } from "#/components/download";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { columnsOf, template } from "./columns";
import { bulkTexts } from "./texts";

/** The columns that a file for a function has, and an empty one to begin with. */
export function Expected({ functionId }: { functionId: string }) {
  const text = useTexts(bulkTexts);
  const form = useQuery({
    queryKey: ["descriptors", "form", functionId],
    queryFn: ({ signal }) => body(api.GET("/api/ui_schema", { signal, params: { query: { id: functionId } } })),
    select: (form) => columnsOf((form as { schema?: unknown }).schema),
  });
  if (form.isPending) return <Waiting rows={3} />;
  if (form.error instanceof ProblemError && form.error.status === 404)
    return <Text c="dimmed">{text.new.undescribed}</Text>;
  if (form.isError) return <ProblemBox error={form.error} again={() => void form.refetch()} />;
  if (form.data.length === 0) return <Text c="dimmed">{text.new.undescribed}</Text>;
  return (
    <Stack gap="xs">
      <Table aria-label={text.new.expected}>
        <Table.Tbody>
          {form.data.map((column) => (
            <Table.Tr key={column.name}>
              <Table.Th ff="monospace" fw={column.required ? 700 : 400}>
                {column.name}
              </Table.Th>
              <Table.Td>{column.type}</Table.Td>
              <Table.Td c="dimmed">{column.required && text.new.required}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Button
        variant="default"
        w="fit-content"
        leftSection={<IconDownload size={14} aria-hidden />}
        onClick={() => download(`${functionId}.csv`, template(form.data), "text/csv;charset=utf-8")}
      >
        {text.new.template}
      </Button>
    </Stack>
  );
}
