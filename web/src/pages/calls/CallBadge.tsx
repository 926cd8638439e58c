import { StateBadge } from "#/components/badges";
import { isBroadcast } from "#/functions/broadcast";
import { useTexts } from "#/i18n/texts";
import type { CallEntry } from "./queries";
import { callsTexts } from "./texts";

type Stands = Pick<CallEntry, "kind" | "state"> & Partial<Pick<CallEntry, "failed">> & { readonly result?: unknown };

/**
 * How a call stands. A call that started a job has succeeded when the job has begun, whatever became of the job since;
 * one that went to all game servers has when at least one of them said so.
 */
export function CallBadge({ call }: { call: Stands }) {
  const text = useTexts(callsTexts);
  const state = standingOf(call);
  return <StateBadge state={state} label={text.states[state]} />;
}

export function standingOf({ kind, state, failed, result }: Stands): CallEntry["state"] | "started" | "partial" {
  if (state !== "succeeded") return state;
  if (kind === "job") return "started";
  if (failed) return "partial";
  // What an earlier server recorded does not say it of itself.
  const payload = typeof result === "object" && result !== null && "payload" in result ? result.payload : null;
  return isBroadcast(payload) && payload.failed > 0 ? "partial" : state;
}
