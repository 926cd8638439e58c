import { ProblemError, Unreachable } from "#/api/problem";
import type { Run } from "../runs";

/** What a run came to, as its badge says it. */
export type Outcome = "sending" | "ok" | "dry" | "waiting" | "job" | "failed" | "refused" | "unknown" | "stopped";

/** Nothing ran (docs/reference/http.md, "Failures"). */
const REFUSED = new Set([
  "invalid_argument",
  "unauthenticated",
  "permission_denied",
  "not_found",
  "conflict",
  "failed_precondition",
  "payload_too_large",
  "rate_limited",
  "unimplemented",
  "unavailable",
]);
const UNKNOWN = new Set(["outcome_unknown", "deadline_exceeded", "canceled", "internal"]);

export function outcomeOf(run: Run): Outcome {
  if (run.state === "sending") return "sending";
  if (run.state === "stopped") return "stopped";
  if (run.answer) return ofAnswer(run);
  return ofReason(run.error);
}

function ofAnswer({ answer, wish }: Run): Outcome {
  if (answer?.kind === "waiting") return "waiting";
  if (answer?.kind === "job") return "job";
  return wish.dryRun ? "dry" : "ok";
}

function ofReason(error: unknown): Outcome {
  if (error instanceof Unreachable) return "unknown";
  if (!(error instanceof ProblemError)) return "failed";
  if (UNKNOWN.has(error.reason)) return "unknown";
  return REFUSED.has(error.reason) ? "refused" : "failed";
}

/** The id of its call, also of one that was refused on the way. */
export function callIdOf(run: Run): string {
  if (run.facts?.callId) return run.facts.callId;
  return run.error instanceof ProblemError ? (run.error.problem.call_id ?? "") : "";
}
