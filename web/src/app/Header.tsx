import {
  ActionIcon,
  Kbd,
  SegmentedControl,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useLanguage, useTexts } from "#/i18n/texts";
import { AccountMenu } from "./AccountMenu";
import { ScopeSelector } from "./ScopeSelector";
import { useChangePage } from "./scope";
import { shellTexts } from "./texts";

export function Header({ onSearch }: { onSearch: () => void }) {
  const text = useTexts(shellTexts);
  return (
    <header className="shell-header">
      <Link to="/" className="brand">
        ◆ croupier
      </Link>
      <ScopeSelector />
      <UnstyledButton className="search-button" onClick={onSearch} aria-keyshortcuts="Control+K">
        <IconSearch size={13} aria-hidden />
        <span>{text.search}</span>
        <span aria-hidden>
          <Kbd>Ctrl</Kbd> <Kbd>K</Kbd>
        </span>
      </UnstyledButton>
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

/** What is shown, and how to show the other. */
export function useOtherTheme(): { other: "light" | "dark"; change: () => void } {
  const { setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme("light");
  const other = shown === "light" ? "dark" : "light";
  return { other, change: () => setColorScheme(other) };
}

export function ThemeSwitch() {
  const text = useTexts(shellTexts);
  const { other, change } = useOtherTheme();
  return (
    <ActionIcon variant="default" aria-label={text.theme} title={text.theme} onClick={change}>
      {other === "dark" ? <IconMoon size={14} /> : <IconSun size={14} />}
    </ActionIcon>
  );
}
