import { Tabs } from "@mantine/core";
import { useState } from "react";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import type { FunctionSheet } from "#/functions/functions";
import { useTexts } from "#/i18n/texts";
import { placeOf, useRuns } from "../runs";
import { workbenchTexts } from "../texts";
import { History } from "./History";
import { RunView } from "./RunView";

/** What came of the function: the last press here, and every call before it. */
export function ResultPane({ sheet }: { sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const run = useRuns(placeOf(game, env, sheet.function.id))[0];
  const [tab, setTab] = useState<string | null>("result");
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
          <RunView key={run.key} run={run} sheet={sheet} />
        ) : (
          <EmptyState title={text.nothingYet} hint={text.nothingYetHint} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="history" className="result-panel">
        <History functionId={sheet.function.id} />
      </Tabs.Panel>
    </Tabs>
  );
}
