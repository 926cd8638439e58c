import { SimpleGrid, Stack, Tabs, Text, Title } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { JsonView } from "./json/JsonView";
import { canonicalRenderer } from "./renderers";
import type { OutputsSpec, ViewSpec } from "./spec";
import { viewTexts } from "./texts";
import { isShown, View } from "./View";

interface Props {
  readonly outputs: OutputsSpec;
  /** The whole answer, as JSON. */
  readonly value: unknown;
  /** What the answer is of, for the names of files. */
  readonly label: string;
}

const JSON_TAB = "\u0000json";
const ALL_TAB = "\u0000all";
const MOST_COLUMNS = 6;

/** All views of a function over one answer, arranged as its descriptor says; the answer itself is always the last tab. */
export function Views({ outputs, value, label }: Props) {
  const text = useTexts(viewTexts);
  const language = useLanguage();
  const shown = outputs.views.filter((view) => !isWhole(view) && isShown(view, value));
  const { type, cols } = outputs.layout;
  if (shown.length === 0) return <Alone outputs={outputs} value={value} label={label} />;
  const json = { id: JSON_TAB, name: text.json, content: <JsonView value={value} label={label} /> };
  if (type === "grid" || type === "stack") {
    const content =
      type === "grid" ? (
        <Grid views={shown} value={value} cols={cols} />
      ) : (
        <Grid views={shown} value={value} cols={1} />
      );
    return <Tabbed tabs={[{ id: ALL_TAB, name: text.views, content }, json]} />;
  }
  const tabs = shown.map((view) => ({
    id: view.id,
    name: inLanguage(view.title, language, view.id),
    content: <View view={view} value={value} />,
  }));
  return <Tabbed tabs={[...tabs, json]} />;
}

/** The whole answer as JSON is a tab of its own already. */
function isWhole(view: ViewSpec): boolean {
  return canonicalRenderer(view.renderer) === "json.view" && !view.transform && !view.show_if;
}

function Alone({ outputs, value, label }: Props) {
  const text = useTexts(viewTexts);
  return (
    <Stack gap={4}>
      {outputs.views.some((view) => !isWhole(view)) && <Text c="dimmed">{text.notShown}</Text>}
      <JsonView value={value} label={label} />
    </Stack>
  );
}

function Grid({ views, value, cols }: { views: readonly ViewSpec[]; value: unknown; cols: number }) {
  const language = useLanguage();
  return (
    <SimpleGrid cols={Math.min(MOST_COLUMNS, Math.max(1, Math.round(cols)))} spacing="sm" verticalSpacing="sm">
      {views.map((view) => (
        <section key={view.id} aria-label={inLanguage(view.title, language, view.id)} style={{ minWidth: 0 }}>
          <Title order={3} mb={4}>
            {inLanguage(view.title, language, view.id)}
          </Title>
          <View view={view} value={value} />
        </section>
      ))}
    </SimpleGrid>
  );
}

interface Tab {
  readonly id: string;
  readonly name: string;
  readonly content: ReactNode;
}

function Tabbed({ tabs }: { tabs: readonly Tab[] }) {
  const [wanted, setWanted] = useState<string | null>(null);
  // Another answer may have other views: the one chosen stays where it is shown.
  const active = Math.max(
    0,
    tabs.findIndex(({ id }) => id === wanted),
  );
  // Tabs go by their places: an id of a view may be anything, and becomes part of the page's own ids.
  return (
    <Tabs value={String(active)} onChange={(place) => setWanted(tabs[Number(place)]?.id ?? null)} keepMounted={false}>
      <Tabs.List mb={6}>
        {tabs.map(({ id, name }, place) => (
          <Tabs.Tab key={id} value={String(place)}>
            {name.slice(0, 80)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ id, content }, place) => (
        <Tabs.Panel key={id} value={String(place)}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
