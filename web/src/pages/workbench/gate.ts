import type { components } from "#/api/schema";

export type Explained = components["schemas"]["ExplainAnswer"];
export type Gate = components["schemas"]["GateEntry"];

/** How a call would fare, in what the line above the button says of it. */
export interface Outlook {
  /** go: it runs · ask: somebody else has to agree · stop: it is refused · unsure: it depends on arguments */
  readonly tone: "go" | "ask" | "stop" | "unsure";
  /** What stops it. */
  readonly stop: Gate | null;
  /** How many have to agree; 0 nobody. */
  readonly approvals: number;
  /** Whether that depends on arguments. */
  readonly approvalsDepend: boolean;
  readonly things: number;
  /** The only thing, by its id. */
  readonly thing: string;
  /** How many game servers receive it; null where nobody said. */
  readonly servers: number | null;
  readonly receivers: readonly string[];
  /** A limit that is nearly used up. */
  readonly scarce: Gate | null;
}

const NEARLY = 3;

export function outlookOf(explained: Explained): Outlook {
  const { approval, affects, gates } = explained;
  // What does not fit the schema is told beside its field.
  const stop =
    gates.find(({ gate, verdict }) => (verdict === "deny" || verdict === "wait") && gate !== "schema") ?? null;
  const approvals = approval.needed === false ? 0 : approval.stages.reduce((sum, { threshold }) => sum + threshold, 0);
  const things = affects?.things ?? [];
  return {
    tone: stop
      ? "stop"
      : approval.needed
        ? "ask"
        : explained.allowed === null || approval.needed === null
          ? "unsure"
          : "go",
    stop,
    approvals: approval.needed === false ? 0 : Math.max(approvals, 1),
    approvalsDepend: approval.needed === null,
    things: things.length,
    thing: things.length === 1 ? (things[0]?.id ?? "") : "",
    servers: affects?.game_servers ?? null,
    receivers: affects?.receivers.map(({ service_id, agent_id }) => service_id || agent_id) ?? [],
    scarce: gates.find(({ verdict, left }) => verdict === "pass" && left !== null && left <= NEARLY) ?? null,
  };
}

/** Whether it is asked once more before it runs: it can do harm, and nobody else looks at it first. */
export function needsConfirmation(wish: {
  risk: string;
  broadcast: boolean;
  isQuery: boolean;
  dryRun: boolean;
  approvals: number;
  production: boolean;
}) {
  if (wish.dryRun || wish.approvals > 0) return false;
  if (wish.risk === "high" || wish.risk === "critical") return true;
  return !wish.isQuery && (wish.broadcast || (wish.production && wish.risk === "medium"));
}
