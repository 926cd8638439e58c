import "#/pages/registry/registry.css";
import "#/pages/workbench/workbench.css";
import { Button, Group, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useScope } from "#/app/scope";
import { RiskBadge } from "#/components/badges";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { type FunctionSheet, functionQuery, nameOf } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { ActBar } from "#/pages/workbench/ActBar";
import { type Faults, faultsOf } from "#/pages/workbench/faults";
import { RunView } from "#/pages/workbench/result/RunView";
import { placeOf, useRuns } from "#/pages/workbench/runs";
import { mannerOf } from "#/pages/workbench/sheet";
import { checkForm, FormEditor, firstValue } from "#/schema-form";
import { entityTexts } from "./texts";
import { withId } from "./things";

interface Props {
  readonly functionId: string;
  /** The thing that it is done to, and the argument that is its id. */
  readonly target?: { readonly id: string; readonly key: string } | undefined;
  readonly close: () => void;
}

/** A function's form beside the page: what it does goes the same way, through the same gates, as from the workbench. */
export function OperationPanel({ functionId, target, close }: Props) {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const sheet = useQuery(functionQuery(game, env, functionId));
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), []);
  const name = sheet.data ? nameOf(sheet.data.function, language) : functionId;
  return (
    <aside className="side-panel" aria-label={name} ref={panel} tabIndex={-1}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" mb="xs">
        <div style={{ minWidth: 0 }}>
          <Group gap={6}>
            <Title order={2}>{name}</Title>
            <RiskBadge risk={sheet.data?.function.risk} />
          </Group>
          <Text c="dimmed" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {functionId}
          </Text>
        </div>
        <Button variant="subtle" size="compact-xs" onClick={close}>
          {text.close}
        </Button>
      </Group>
      {sheet.isError && <ProblemBox error={sheet.error} again={() => void sheet.refetch()} />}
      {sheet.isPending && <Waiting rows={4} />}
      {sheet.data && <Desk sheet={sheet.data} target={target} />}
    </aside>
  );
}

function Desk({ sheet, target }: { sheet: FunctionSheet; target: Props["target"] }) {
  const language = useLanguage();
  const { game, env } = useScope();
  const { schema, uischema } = sheet;
  const [value, setValue] = useState(() => {
    const first = firstValue(schema, uischema);
    return target?.key ? withId(first, target.key, target.id, schema) : first;
  });
  const [shown, setShown] = useState<Faults>([]);
  // Only what was done here: the last run of the function may have been about another thing.
  const [begun] = useState(() => Date.now());
  const run = useRuns(placeOf(game, env, sheet.function.id)).find((each) => each.begun >= begun);
  useAskedAgain(run?.ended ?? null);
  const check = () => {
    const { pruned, faults } = checkForm(schema, uischema, value);
    setShown(faults);
    return faults.length ? null : { payload: pruned };
  };
  const change = (changed: unknown) => {
    if (shown.length) setShown([]);
    setValue(changed);
  };
  const summary = inLanguage(sheet.function.summary, language);
  return (
    <>
      {summary && (
        <Text c="dimmed" mb="xs">
          {summary}
        </Text>
      )}
      <FormEditor
        schema={schema}
        ui={uischema}
        value={value}
        onChange={change}
        faults={shown.length ? shown : faultsOf(run?.error)}
      />
      <ActBar sheet={sheet} manner={mannerOf(sheet)} value={value} check={check} search={{}} />
      <div aria-live="polite">{run && <RunView key={run.key} run={run} sheet={sheet} />}</div>
    </>
  );
}

/** What the page shows is asked for again when something was done. */
function useAskedAgain(ended: number | null) {
  const queries = useQueryClient();
  useEffect(() => {
    if (ended === null) return;
    void queries.invalidateQueries({ queryKey: ["entities", "answers"] });
    void queries.invalidateQueries({ queryKey: ["entities", "timeline"] });
  }, [ended, queries]);
}
