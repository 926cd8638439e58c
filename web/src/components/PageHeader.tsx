import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

interface Props {
  readonly title: string;
  /** A line under the title: ids, counts. */
  readonly detail?: ReactNode;
  /** Beside the title: state, risk. */
  readonly badges?: ReactNode;
  /** Buttons on the right. */
  readonly children?: ReactNode;
}

/** The head of every page; also the browser tab's title. */
export function PageHeader({ title, detail, badges, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Croupier`;
  }, [title]);
  return (
    <Group justify="space-between" align="flex-start" wrap="nowrap" px="md" pt="sm" pb={6} gap="sm">
      <div style={{ minWidth: 0 }}>
        <Group gap={8} wrap="nowrap">
          <Title order={1} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {badges}
        </Group>
        {detail && (
          <Text component="div" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {detail}
          </Text>
        )}
      </div>
      <Group gap="xs" wrap="wrap" justify="flex-end">
        {children}
      </Group>
    </Group>
  );
}
