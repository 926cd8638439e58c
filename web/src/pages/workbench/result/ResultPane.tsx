import { Tabs } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { loadWhenIdle } from "#/app/idle";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import { Waiting } from "#/components/Waiting";
import type { FunctionSheet } from "#/functions/functions";
import { useTexts } from "#/i18n/texts";
import { placeOf, useRuns } from "../runs";
import { workbenchTexts } from "../texts";

const loadRunView = () => import("./RunView");
const RunView = lazy(() => loadRunView().then((module) => ({ default: module.RunView })));
const History = lazy(() => import("./History").then((module) => ({ default: module.History })));

/** What came of the function: the last press here, and every call before it. */
export function ResultPane({ sheet }: { sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const run = useRuns(placeOf(game, env, sheet.function.id))[0];
  const [tab, setTab] = useState<string | null>("result");
  // The form comes first; what answers are shown by is there before the first of them.
  useEffect(() => loadWhenIdle(loadRunView), []);
  const [seen, setSeen] = useState(run?.key);
  // A new press is looked at, whatever was looked at before.
  if (run && run.key !== seen) {
    setSeen(run.key);
    setTab("result");
  }
  return (
    <Tabs value={tab} onChange={setTab} keepMounted={false} className="result">
      <Tabs.List>
        <Tabs.Tab value="result">{text.tabs.result}</Tabs.Tab>
        <Tabs.Tab value="history">{text.tabs.history}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="result" className="result-panel">
        {run ? (
          <Suspense fallback={<Waiting rows={4} />}>
            <RunView key={run.key} run={run} sheet={sheet} />
          </Suspense>
        ) : (
          <EmptyState title={text.nothingYet} hint={text.nothingYetHint} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="history" className="result-panel">
        <Suspense fallback={<Waiting />}>
          <History functionId={sheet.function.id} />
        </Suspense>
      </Tabs.Panel>
    </Tabs>
  );
}
