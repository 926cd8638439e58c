import type { Language } from "#/i18n/language";
import type { Code } from "#/refusals/codes";
import { kindOf, said } from "#/refusals/said";

/** What one game server answered to a call that went to all of them. */
export interface BroadcastAnswer {
  readonly service_id: string;
  readonly agent_id: string;
  readonly ok: boolean;
  readonly payload?: unknown;
  readonly error?: {
    readonly reason?: string;
    readonly message?: string;
    readonly code?: Code | null;
    readonly details?: Readonly<Record<string, string>>;
  };
}

export interface Broadcast {
  readonly results: readonly BroadcastAnswer[];
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped?: readonly LeftOut[];
}

/** A game server that offers the function and was not asked. */
export interface LeftOut {
  readonly service_id: string;
  readonly agent_id: string;
  readonly why: string;
  readonly code?: Code | null;
}

/** Why one of them failed, in the page's language as far as it has words for it. */
export function errorOf({ error }: BroadcastAnswer, language: Language): string {
  if (!error) return "";
  const { reason = "", message = "", code, details } = error;
  const told = said({ code, parameters: details, detail: message }, language);
  return [kindOf(reason, language)?.title ?? reason, told].filter(Boolean).join(": ");
}

/** Whether an answer is that of a broadcast (docs/reference/http.md). */
export function isBroadcast(value: unknown): value is Broadcast {
  return (
    typeof value === "object" &&
    value !== null &&
    "results" in value &&
    Array.isArray(value.results) &&
    "succeeded" in value
  );
}
