/** What one game server answered to a call that went to all of them. */
export interface BroadcastAnswer {
  readonly service_id: string;
  readonly agent_id: string;
  readonly ok: boolean;
  readonly payload?: unknown;
  readonly error?: { readonly reason?: string; readonly message?: string };
}

export interface Broadcast {
  readonly results: readonly BroadcastAnswer[];
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped?: readonly { readonly service_id: string; readonly why: string }[];
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
