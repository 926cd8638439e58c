import {
  ActionIcon,
  Menu,
  SegmentedControl,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { IconMoon, IconSun, IconUser } from "@tabler/icons-react";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { api } from "#/api/client";
import { meQuery } from "#/api/session";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useChangePage } from "./scope";
import { shellTexts } from "./texts";

export function Header() {
  return (
    <header className="shell-header">
      <Text fw={700} size="md">
        ◆ croupier
      </Text>
      <div style={{ flex: 1 }} />
      <LanguageSwitch />
      <ThemeSwitch />
      <AccountMenu />
    </header>
  );
}

export function LanguageSwitch() {
  const text = useTexts(shellTexts);
  const language = useLanguage();
  const change = useChangePage();
  return (
    <SegmentedControl
      aria-label={text.language}
      value={language}
      onChange={(lang) => change({ lang })}
      data={[
        { value: "en", label: "EN" },
        { value: "zh", label: "中" },
      ]}
    />
  );
}

export function ThemeSwitch() {
  const text = useTexts(shellTexts);
  const { setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme("light");
  const other = shown === "light" ? "dark" : "light";
  return (
    <ActionIcon variant="default" aria-label={text.theme} title={text.theme} onClick={() => setColorScheme(other)}>
      {other === "dark" ? <IconMoon size={14} /> : <IconSun size={14} />}
    </ActionIcon>
  );
}

function AccountMenu() {
  const text = useTexts(shellTexts);
  const queries = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery);
  const signOut = async () => {
    await api.POST("/api/logout");
    queries.clear();
    globalThis.location.assign("/login");
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <UnstyledButton aria-label={text.account} style={{ display: "flex", gap: 4, alignItems: "center" }}>
          <IconUser size={14} aria-hidden />
          <Text fw={600}>{me?.user?.display_name || me?.name}</Text>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void signOut()}>{text.signOut}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
