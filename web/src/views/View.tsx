import { Alert, Text } from "@mantine/core";
import { CatchBoundary, type ErrorComponentProps } from "@tanstack/react-router";
import { useMemo } from "react";
import { Condition, Transform } from "#/forms";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { PluginView } from "./plugin/PluginView";
import { rendererOf } from "./renderers";
import type { ViewSpec } from "./spec";
import { viewTexts } from "./texts";

interface Props {
  readonly view: ViewSpec;
  /** The whole answer. */
  readonly value: unknown;
}

/** An answer, or what the view's transform makes of it, drawn by the view's renderer. What goes wrong says so in the view's place. */
export function View({ view, value }: Props) {
  const made = useMemo(() => transformed(view, value), [view, value]);
  if ("error" in made) return <BadView id={view.id} error={made.error} />;
  return (
    <CatchBoundary
      getResetKey={() => view.id}
      errorComponent={({ error }: ErrorComponentProps) => (
        <BadView id={view.id} error={error instanceof Error ? error.message : String(error)} />
      )}
    >
      <Drawn view={view} value={made.value} />
    </CatchBoundary>
  );
}

function Drawn({ view, value }: Props) {
  const language = useLanguage();
  const Renderer = rendererOf(view.renderer);
  if (!Renderer) return <PluginView view={view} value={value} />;
  return <Renderer value={value} options={view.options} label={inLanguage(view.title, language, view.id)} />;
}

function BadView({ id, error }: { id: string; error: string }) {
  const text = useTexts(viewTexts);
  return (
    <Alert color="orange" variant="light" title={text.badView(id.slice(0, 100))} role="alert">
      <Text>{text.badViewHint}</Text>
      <Text ff="monospace" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {error.slice(0, 2_000)}
      </Text>
    </Alert>
  );
}

function transformed(view: ViewSpec, value: unknown): { readonly value: unknown } | { readonly error: string } {
  try {
    if (view.show_if) Condition.read(view.show_if);
    return { value: Transform.read(view.transform).apply(value) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether a view has something to say about an answer. One whose condition cannot be read is shown: it says what is wrong with it. */
export function isShown(view: ViewSpec, value: unknown): boolean {
  if (!view.show_if) return true;
  try {
    return Condition.read(view.show_if).holds(value);
  } catch {
    return true;
  }
}
