import { Center, Group, Paper, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { LanguageSwitch, ThemeSwitch } from "#/app/Header";

/** A card in the middle of an otherwise empty page: the ways in. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Croupier`;
  }, [title]);
  return (
    <Center mih="100vh" component="main" p="md">
      <Paper withBorder p="lg" w={360}>
        <Group justify="space-between" mb="md" wrap="nowrap">
          <Title order={1}>{title}</Title>
          <Group gap={6} wrap="nowrap">
            <LanguageSwitch />
            <ThemeSwitch />
          </Group>
        </Group>
        {children}
      </Paper>
    </Center>
  );
}
