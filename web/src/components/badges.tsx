import { Badge } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

const RISK_COLORS: Record<string, string> = { low: "gray", medium: "orange", high: "red", critical: "red" };

/** How much harm a function can do; low says nothing. */
export function RiskBadge({ risk }: { risk: string | undefined }) {
  const text = useTexts(commonTexts);
  if (!risk || risk === "low") return null;
  const name = (text.risk as Record<string, string>)[risk] ?? risk;
  return (
    <Badge color={RISK_COLORS[risk] ?? "gray"} variant={risk === "critical" ? "filled" : "light"}>
      {name}
    </Badge>
  );
}

const STATE_COLORS: Record<string, string> = {
  succeeded: "green",
  ok: "green",
  pass: "green",
  ask: "orange",
  deny: "red",
  wait: "red",
  healthy: "green",
  online: "green",
  approved: "green",
  executed: "green",
  enabled: "green",
  active: "green",
  running: "blue",
  started: "blue",
  pending: "yellow",
  waiting: "yellow",
  paused: "yellow",
  canary: "yellow",
  draining: "yellow",
  partial: "orange",
  outcome_unknown: "orange",
  lost: "orange",
  expired: "gray",
  withdrawn: "gray",
  canceled: "gray",
  cancelled: "gray",
  disabled: "gray",
  failed: "red",
  rejected: "red",
  denied: "red",
  revoked: "red",
  void: "red",
  offline: "red",
};

/** A state in its colour; `label` is its name in the page's language. */
export function StateBadge({ state, label }: { state: string; label?: string }) {
  return <Badge color={STATE_COLORS[state] ?? "gray"}>{label ?? state}</Badge>;
}

/** A dot before a name: all of `total` healthy, some, none. */
export function HealthDot({ healthy, total, label }: { healthy: number; total: number; label: string }) {
  const color = total === 0 ? "gray" : healthy === 0 ? "red" : healthy < total ? "orange" : "green";
  return <span role="img" aria-label={label} title={label} className="dot" data-color={color} />;
}
