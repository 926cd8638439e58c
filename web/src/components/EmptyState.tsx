import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  readonly title: string;
  /** What one can do to have something here. */
  readonly hint?: string;
  readonly children?: ReactNode;
}

/** Nothing to show, and why. */
export function EmptyState({ title, hint, children }: Props) {
  return (
    <Stack align="center" justify="center" gap={4} p="xl" mih={120}>
      <Text fw={600}>{title}</Text>
      {hint && (
        <Text c="dimmed" ta="center" maw={480}>
          {hint}
        </Text>
      )}
      {children}
    </Stack>
  );
}
