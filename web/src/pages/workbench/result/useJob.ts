import { useState } from "react";
import { useTopic } from "#/live";
import { useLogBuffer } from "#/views";

export type JobState = "pending" | "running" | "succeeded" | "failed" | "canceled" | "lost";

export interface FollowedJob {
  readonly state: JobState;
  /** 0 to 100. */
  readonly progress: number;
  readonly message: string;
  readonly error: string;
  readonly reason: string;
  /** The result; undefined before there is one. */
  readonly payload: unknown;
  /** Why it may not be followed; "" where it may. */
  readonly denied: string;
}

interface Told {
  readonly seq?: number;
  readonly message?: string;
  readonly progress?: number;
  readonly state?: JobState;
  readonly time_ms?: number;
  readonly payload?: unknown;
  readonly payload_base64?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly detail?: string;
}

const BEGUN: FollowedJob = {
  state: "pending",
  progress: 0,
  message: "",
  error: "",
  reason: "",
  payload: undefined,
  denied: "",
};

/** A job as it goes on: told from its beginning, without gap or double, also over restarts of the server. */
export function useJob(jobId: string) {
  const [job, setJob] = useState(BEGUN);
  const log = useLogBuffer();
  useTopic(`job:${jobId}`, ({ type, data }) => {
    const told = (data ?? {}) as Told;
    if (type === "log") log.append({ text: told.message ?? "", ...(told.time_ms && { at: told.time_ms }) });
    else setJob((now) => heard(now, type, told));
  });
  return { job, log };
}

export const ENDED: ReadonlySet<JobState> = new Set(["succeeded", "failed", "canceled", "lost"]);

export function heard(now: FollowedJob, type: string, told: Told): FollowedJob {
  const state = told.state ?? now.state;
  switch (type) {
    case "state":
      return {
        ...now,
        state,
        progress: told.progress ?? now.progress,
        error: told.error ?? "",
        reason: told.reason ?? "",
      };
    case "progress":
      return { ...now, state, progress: told.progress ?? now.progress, message: told.message || now.message };
    case "done":
      return { ...now, state, progress: 100, payload: told.payload ?? told.payload_base64 ?? null };
    case "error":
      return { ...now, state, error: told.message ?? "", reason: told.reason ?? "" };
    case "denied":
      return { ...now, denied: told.detail ?? "" };
    default:
      return now;
  }
}
