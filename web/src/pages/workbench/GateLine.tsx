import { Popover, Text, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { ProblemError } from "#/api/problem";
import { useProduction } from "#/app/production";
import { useScope } from "#/app/scope";
import type { Language } from "#/i18n/language";
import { useLanguage, useTexts } from "#/i18n/texts";
import { said, sayingOf } from "#/refusals/said";
import { type Explained, type Gate, type Outlook, outlookOf } from "./gate";
import { workbenchTexts } from "./texts";
import type { Explanation } from "./useExplained";

interface Props {
  readonly explanation: Explanation;
  readonly risk: string;
  readonly isQuery: boolean;
  readonly dryRun: boolean;
  readonly breakGlass: boolean;
  /** How many game servers could receive it, where any of them may. */
  readonly among: number;
}

/** What will happen when the button is pressed, before it is. A click shows every gate that the call passes. */
export function GateLine({ explanation, risk, isQuery, dryRun, breakGlass, among }: Props) {
  const text = useTexts(workbenchTexts);
  const production = useProduction();
  const { env } = useScope();
  const language = useLanguage();
  const { explained } = explanation;
  const outlook = explained && outlookOf(explained);
  const parts: ReactNode[] = [
    <b key="env">{env}</b>,
    ...(risk === "low" ? [] : [text.gate.risk(risk)]),
    ...(dryRun ? [text.gate.dryRun] : isQuery ? [text.gate.reads] : []),
    ...(outlook && explained
      ? told(outlook, explained, { breakGlass, among, words: text.gate, language })
      : [untold(explanation, text.gate, language)]),
  ];
  const tone = outlook?.tone === "go" && production && !dryRun && !isQuery ? "production" : (outlook?.tone ?? "unsure");
  return (
    <div className="gate-line" data-tone={tone} aria-live="polite" role="status">
      <span className="gate-words">
        {parts.map((part, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence have nothing but their place
          <span key={at}>
            {at > 0 && " · "}
            {part}
          </span>
        ))}
      </span>
      {explained && <Gates explained={explained} />}
    </div>
  );
}

/** Why nothing is told of what would happen. */
function untold({ tooLarge, error }: Explanation, words: Words, language: Language): string {
  if (tooLarge) return words.tooLarge;
  if (!error) return words.asking;
  return words.untold(error instanceof ProblemError ? sayingOf(error.problem, language).detail : "");
}

type Words = (typeof workbenchTexts)["en"]["gate"];

function told(
  outlook: Outlook,
  explained: Explained,
  { breakGlass, among, words, language }: { breakGlass: boolean; among: number; words: Words; language: Language },
): ReactNode[] {
  const { stop, approvals, things, thing, servers, receivers, scarce } = outlook;
  if (stop)
    return [<b key="stop">{words.gates[stop.gate as keyof Words["gates"]] ?? stop.gate}</b>, said(stop, language)];
  const parts: ReactNode[] = [];
  if (approvals > 0 && breakGlass) parts.push(words.breakGlass);
  else if (approvals > 0) parts.push(outlook.approvalsDepend ? words.mayAsk : words.asks(approvals));
  if (explained.approval.reason) parts.push(words.reason);
  if (scarce) parts.push(said(scarce, language));
  if (things > 0) parts.push(thing ? words.affectsOne(thing) : words.affects(things));
  if (servers !== null && servers > 1) parts.push(words.servers(servers));
  else if (servers === 1 && among > 1) parts.push(words.oneOf(among));
  else if (servers === 1 && receivers[0]) parts.push(words.receiver(receivers[0]));
  return parts;
}

function Gates({ explained }: { explained: Explained }) {
  const { gate: words } = useTexts(workbenchTexts);
  const language = useLanguage();
  return (
    <Popover width={460} position="top-end" shadow="md" withArrow trapFocus>
      <Popover.Target>
        <UnstyledButton className="gate-more">{words.why}</UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <ul className="gates">
          {explained.gates.map((gate) => (
            <GateItem key={`${gate.gate} ${gate.rule}`} gate={gate} />
          ))}
        </ul>
        {explained.approval.causes.length > 0 && (
          <Text mt={6}>{explained.approval.causes.map((cause) => said(cause, language)).join(" · ")}</Text>
        )}
        {explained.approval.needed !== false && explained.approval.stages.length > 0 && (
          <Text mt={6}>
            {explained.approval.stages
              .map((stage) => words.stage(stage.threshold, stage.approvers.join(", ") || words.anybody))
              .join(" → ")}
          </Text>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

const COLORS: Record<string, string> = { pass: "green", ask: "orange", depends: "gray", wait: "red", deny: "red" };

function GateItem({ gate }: { gate: Gate }) {
  const { gate: words } = useTexts(workbenchTexts);
  const language = useLanguage();
  const verdict = words.verdicts[gate.verdict as keyof Words["verdicts"]] ?? gate.verdict;
  return (
    <li>
      <span className="dot" data-color={COLORS[gate.verdict]} role="img" aria-label={verdict} title={verdict} />
      <b>{words.gates[gate.gate as keyof Words["gates"]] ?? gate.gate}</b>
      <span>{said(gate, language) || verdict}</span>
    </li>
  );
}
