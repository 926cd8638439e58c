import { Button, Checkbox, Kbd, TextInput, Tooltip } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { may, meQuery } from "#/api/session";
import { isCovered, useControlKey } from "#/app/keys";
import { useProduction } from "#/app/production";
import { useScope } from "#/app/scope";
import { useConfirm } from "#/components/Confirm";
import { type FunctionSheet, nameOf } from "#/functions/functions";
import { useLanguage, useTexts } from "#/i18n/texts";
import { GateLine } from "./GateLine";
import { needsConfirmation, type Outlook, outlookOf } from "./gate";
import { Receivers } from "./Receivers";
import { RouteSelect } from "./RouteSelect";
import type { WorkbenchSearch } from "./routes";
import { missingOf, type RouteChoice } from "./routing";
import { placeOf, start, useRuns } from "./runs";
import type { Wish } from "./sending";
import type { Manner } from "./sheet";
import { workbenchTexts } from "./texts";
import { useExplained } from "./useExplained";

interface Props {
  readonly sheet: FunctionSheet;
  readonly manner: Manner;
  readonly value: unknown;
  /** What may be sent; null, and the faults are shown, where nothing may. */
  readonly check: () => { payload: unknown } | null;
  readonly search: WorkbenchSearch;
}

interface Saying {
  readonly reason: string;
  readonly ticket: string;
  readonly breakGlass: boolean;
}

/** Below the form: what will happen, to whom it goes, and the button. */
export function ActBar({ sheet, manner, value, check, search }: Props) {
  const text = useTexts(workbenchTexts);
  const entry = sheet.function;
  const [route, setRoute] = useState<RouteChoice>(() => firstRoute(search, manner));
  const production = useProduction();
  const [dryRun, setDryRun] = useState(manner.dryRun && production && !manner.isQuery);
  const [said, setSaid] = useState<Saying>({ reason: "", ticket: "", breakGlass: false });
  const explanation = useExplained(entry.id, value, route);
  const { explained } = explanation;
  const outlook = explained && outlookOf(explained);
  const press = usePress({ sheet, manner, route, dryRun, said, outlook, check });
  const usual = manner.isJob ? "job" : "invoke";
  useControlKey("Enter", () => !isCovered() && void press(usual));
  const { game, env } = useScope();
  const sending = useRuns(placeOf(game, env, entry.id))[0]?.state === "sending";
  const danger = production && !dryRun && !manner.isQuery;
  return (
    <div className="act-bar">
      {explained && explained.approval.needed !== false && (
        <Sayings explained={explained.approval} said={said} onChange={setSaid} />
      )}
      <GateLine
        explanation={explanation}
        risk={entry.risk}
        isQuery={manner.isQuery}
        dryRun={dryRun}
        breakGlass={said.breakGlass}
        among={route.route === "lb" ? entry.healthy : 1}
      />
      <div className="act-row">
        <RouteSelect
          functionId={entry.id}
          choice={route}
          onChange={setRoute}
          isJob={manner.isJob}
          hashFrom={manner.hashFrom}
        />
        <Receivers functionId={entry.id} value={value} route={route} />
        {manner.dryRun && (
          <Checkbox label={text.dryRun} checked={dryRun} onChange={(event) => setDryRun(event.currentTarget.checked)} />
        )}
        <span className="act-space" />
        {!manner.isJob && !manner.isQuery && route.route !== "broadcast" && (
          <Tooltip label={text.startJobHint}>
            <Button variant="default" onClick={() => void press("job")} disabled={sending}>
              {text.startJob}
            </Button>
          </Tooltip>
        )}
        <Button
          onClick={() => void press(usual)}
          disabled={sending}
          aria-keyshortcuts="Control+Enter"
          rightSection={<Kbd size="xs">Ctrl ⏎</Kbd>}
          {...(danger && { color: "red" })}
        >
          {sending ? text.sending : manner.isJob ? text.startJob : dryRun ? text.tryOut : text.invoke}
        </Button>
      </div>
    </div>
  );
}

function firstRoute({ route, target = "", hash = "" }: WorkbenchSearch, manner: Manner): RouteChoice {
  const usual = ["targeted", "hash", "broadcast"].find((name) => name === manner.route) as
    | RouteChoice["route"]
    | undefined;
  return { route: route ?? usual ?? "lb", target, hash };
}

interface SayingsProps {
  readonly explained: { readonly reason: boolean; readonly ticket: boolean };
  readonly said: Saying;
  readonly onChange: (said: Saying) => void;
}

/** What a request for approval says, and the way past it for emergencies. */
function Sayings({ explained, said, onChange }: SayingsProps) {
  const text = useTexts(workbenchTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  return (
    <div className="act-row">
      <TextInput
        style={{ flex: 1 }}
        aria-label={text.reason}
        placeholder={explained.reason || said.breakGlass ? text.reasonNeeded : text.reasonHint}
        required={explained.reason || said.breakGlass}
        maxLength={1000}
        value={said.reason}
        onChange={(event) => onChange({ ...said, reason: event.currentTarget.value })}
      />
      <TextInput
        w={130}
        aria-label={text.ticket}
        placeholder={explained.ticket ? text.ticketNeeded : text.ticket}
        required={explained.ticket}
        maxLength={200}
        value={said.ticket}
        onChange={(event) => onChange({ ...said, ticket: event.currentTarget.value })}
      />
      {may(me, "approvals:break_glass") && (
        <Tooltip label={text.breakGlassHint}>
          <Checkbox
            label={text.breakGlass}
            color="red"
            checked={said.breakGlass}
            onChange={(event) => onChange({ ...said, breakGlass: event.currentTarget.checked })}
          />
        </Tooltip>
      )}
    </div>
  );
}

interface Pressed {
  readonly sheet: FunctionSheet;
  readonly manner: Manner;
  readonly route: RouteChoice;
  readonly dryRun: boolean;
  readonly said: Saying;
  readonly outlook: Outlook | undefined;
  readonly check: Props["check"];
}

/** Checks, asks once more where it can do harm, and sends. */
function usePress({ sheet, manner, route, dryRun, said, outlook, check }: Pressed) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const ask = useConfirm();
  const production = useProduction();
  const entry = sheet.function;
  return async (kind: Wish["kind"]) => {
    const checked = check();
    if (!checked || missingOf(route)) return;
    const broadcast = route.route === "broadcast";
    const approvals = said.breakGlass ? 0 : (outlook?.approvals ?? 0);
    const careful = needsConfirmation({
      risk: entry.risk,
      broadcast,
      isQuery: manner.isQuery,
      dryRun,
      approvals,
      production,
    });
    if (careful || said.breakGlass) {
      const name = nameOf(entry, language);
      const yes = await ask({
        title: text.confirm.title(name, env),
        consequence: text.confirm.consequence(name, `${game} · ${env}`, outlook?.things ?? 0, outlook?.servers ?? 1),
        act: kind === "job" ? text.startJob : text.invoke,
        destructive: true,
      });
      if (!yes) return;
    }
    const { dryRunParameter } = manner;
    start({ functionId: entry.id, game, env, kind, payload: checked.payload, route, dryRun, dryRunParameter, ...said });
  };
}
