import { request } from "#/api/client";
import { parseJson, toJson } from "#/forms/exactJson";
import { type RouteChoice, routeFields } from "./routing";

/** What somebody wants to happen; the same for as long as it is tried. */
export interface Wish {
  readonly functionId: string;
  readonly game: string;
  readonly env: string;
  readonly kind: "invoke" | "job";
  readonly payload: unknown;
  readonly route: RouteChoice;
  readonly dryRun: boolean;
  /** The boolean argument that makes it a dry run, where it is one. */
  readonly dryRunParameter: string;
  readonly reason: string;
  readonly ticket: string;
  readonly breakGlass: boolean;
}

/** What the server answered. */
export type Answer =
  | { readonly kind: "answer"; readonly value: unknown; readonly size: number }
  | { readonly kind: "bytes"; readonly bytes: Blob }
  | { readonly kind: "waiting"; readonly approvalId: string; readonly message: string }
  | { readonly kind: "job"; readonly jobId: string };

/** Beside the answer: which call it was, and who did it. */
export interface CallFacts {
  readonly callId: string;
  readonly traceId: string;
  readonly serviceId: string;
  readonly agentId: string;
  readonly ms: number | null;
  /** The answer of an earlier call with the same key. */
  readonly replayed: boolean;
}

/** The body of a call, with every digit of its numbers. */
export function bodyOf(wish: Wish): string {
  const { dryRun, dryRunParameter, payload } = wish;
  const args = dryRun && dryRunParameter ? { ...(payload as object), [dryRunParameter]: true } : payload;
  return toJson({
    function_id: wish.functionId,
    game_id: wish.game,
    env: wish.env,
    payload: args,
    ...routeFields(wish.route),
    ...(dryRun && { metadata: { dry_run: "true" } }),
    ...(wish.reason && { reason: wish.reason }),
    ...(wish.ticket && { ticket: wish.ticket }),
    ...(wish.breakGlass && { break_glass: true }),
  });
}

/** Sends it under `key`: whatever happens to the connection, the same key is never a second call. Throws as `request` does. */
export async function send(wish: Wish, key: string, signal: AbortSignal): Promise<[Answer, CallFacts]> {
  const path = wish.kind === "job" ? "/api/start_job" : "/api/invoke";
  const headers = {
    "Content-Type": "application/json",
    "Idempotency-Key": key,
    // The scope of the wish, wherever the page stands by now.
    "X-Game-ID": header(wish.game),
    "X-Env": header(wish.env),
  };
  const response = await request(path, { method: "POST", body: bodyOf(wish), headers, signal });
  return [await answerOf(response), factsOf(response)];
}

function header(value: string): string {
  return String.fromCharCode(...new TextEncoder().encode(value));
}

async function answerOf(response: Response): Promise<Answer> {
  if (!response.headers.get("content-type")?.includes("json")) {
    return { kind: "bytes", bytes: await response.blob() };
  }
  const text = await response.text();
  const value = parseJson(text);
  const named = (value ?? {}) as Record<string, unknown>;
  if (response.status === 202) {
    return { kind: "waiting", approvalId: String(named.approval_id), message: String(named.message ?? "") };
  }
  const isJob = new URL(response.url, globalThis.location.origin).pathname === "/api/start_job";
  return isJob ? { kind: "job", jobId: String(named.job_id) } : { kind: "answer", value, size: text.length };
}

function factsOf({ headers }: Response): CallFacts {
  const text = (name: string) => headers.get(name) ?? "";
  const ms = headers.get("x-duration-ms");
  return {
    callId: text("x-call-id"),
    traceId: text("x-trace-id"),
    serviceId: text("x-service-id"),
    agentId: text("x-agent-id"),
    ms: ms === null ? null : Number(ms),
    replayed: headers.get("x-replayed") === "true",
  };
}

/** A key nobody else has; also where the page is not a secure context and `crypto.randomUUID` is missing. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
