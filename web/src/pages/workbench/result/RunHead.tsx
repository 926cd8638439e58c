import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useNow } from "#/components/Time";
import { useLocale, useTexts } from "#/i18n/texts";
import { type Run, resend, start, stop } from "../runs";
import { workbenchTexts } from "../texts";
import { callIdOf, type Outcome } from "./outcome";

const COLORS: Record<Exclude<Outcome, "job">, string> = {
  sending: "blue",
  ok: "green",
  dry: "blue",
  waiting: "yellow",
  failed: "red",
  refused: "orange",
  unknown: "orange",
  stopped: "gray",
};

/** How the run stands, which call it is, how long it took and who did it. */
export function RunHead({ run, outcome }: { run: Run; outcome: Exclude<Outcome, "job"> }) {
  const text = useTexts(workbenchTexts);
  const callId = callIdOf(run);
  const { facts } = run;
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs" mb={6} role="status">
      <Group gap={8} style={{ minWidth: 0 }}>
        <Badge color={COLORS[outcome]}>{text.state[outcome]}</Badge>
        {callId && (
          <Anchor component={Link} to={`/calls/${callId}`} className="mono" title={text.openCall}>
            {callId}
          </Anchor>
        )}
        <Elapsed run={run} />
        {facts?.serviceId && <span className="mono">{facts.serviceId}</span>}
        {facts?.replayed && <Text c="dimmed">{text.replayed}</Text>}
      </Group>
      <Acts run={run} outcome={outcome} />
    </Group>
  );
}

function Elapsed({ run }: { run: Run }) {
  const text = useTexts(workbenchTexts);
  const locale = useLocale();
  const now = useNow(run.state === "sending" ? 100 : 0);
  const ms = run.facts?.ms ?? (run.ended ?? now) - run.begun;
  const shown = new Intl.NumberFormat(locale, { maximumFractionDigits: run.state === "sending" ? 0 : 1 }).format(ms);
  return <span className="mono">{text.ms(shown)}</span>;
}

function Acts({ run, outcome }: { run: Run; outcome: Outcome }) {
  const text = useTexts(workbenchTexts);
  if (outcome === "sending") {
    return (
      <Button variant="default" size="compact-xs" onClick={() => stop(run)}>
        {text.stop}
      </Button>
    );
  }
  // What may have run is never repeated by a plain button.
  if (outcome === "unknown") {
    return (
      <Button variant="default" size="compact-xs" onClick={() => resend(run)}>
        {text.resend}
      </Button>
    );
  }
  const harmless = run.wish.dryRun || outcome === "refused";
  if (!harmless) return null;
  return (
    <Button variant="default" size="compact-xs" onClick={() => start(run.wish)}>
      {text.again}
    </Button>
  );
}
