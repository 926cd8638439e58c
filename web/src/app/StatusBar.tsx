import { Kbd, UnstyledButton } from "@mantine/core";
import { useLocale, useTexts } from "#/i18n/texts";
import { useLiveState } from "#/live";
import { useHealth } from "./health";
import { shellTexts } from "./texts";

/** Whether what is shown is live, how the platform feels, and the keys that one forgets. */
export function StatusBar({ onSheet }: { onSheet: () => void }) {
  const text = useTexts(shellTexts);
  return (
    <footer className="shell-status">
      <LiveMark />
      <Figures />
      <div style={{ flex: 1 }} />
      <span className="hints">
        <Kbd>/</Kbd> {text.keys.filter} · <Kbd>Ctrl+Enter</Kbd> {text.keys.invoke} ·{" "}
        <UnstyledButton className="hint-button" onClick={onSheet} aria-keyshortcuts="?">
          <Kbd>?</Kbd> {text.keys.sheet}
        </UnstyledButton>
      </span>
    </footer>
  );
}

const COLORS = { live: "green", connecting: "orange", offline: "red" } as const;

function LiveMark() {
  const { status } = useTexts(shellTexts);
  const locale = useLocale();
  const { state, since } = useLiveState();
  const words = {
    live: status.live,
    connecting: status.connecting,
    offline: status.offline(new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(since)),
  };
  return (
    <span role="status" className="live-mark" data-state={state}>
      <span className="dot" data-color={COLORS[state]} aria-hidden />
      {words[state]}
    </span>
  );
}

function Figures() {
  const { status } = useTexts(shellTexts);
  const locale = useLocale();
  const health = useHealth();
  if (!health) return null;
  const { agents, p95_ms: p95 } = health;
  const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(
    health.error_share,
  );
  return (
    <>
      <span data-warning={agents.online < agents.known || undefined}>{status.agents(agents.online, agents.known)}</span>
      <span title={status.lastMinute}>{status.p95(p95 === null ? "–" : String(Math.round(p95 * 10) / 10))}</span>
      <span>{status.calls(health.calls_in_flight)}</span>
      <span title={status.lastMinute} data-warning={health.error_share > 0.01 || undefined}>
        {status.errors(share)}
      </span>
    </>
  );
}
