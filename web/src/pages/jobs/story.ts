import { useCallback, useState } from "react";
import { useTopic } from "#/live";
import { type LogLine, useLogBuffer } from "#/views";

/** What the stream told of a job last. */
export interface Story {
  readonly state: string;
  readonly progress: number;
  /** What it says it is doing. */
  readonly doing: string;
  readonly error: string;
  readonly reason: string;
  /** The result; undefined before there is one. */
  readonly payload: unknown;
  /** Why it may not be followed; "" where it may. */
  readonly denied: string;
}

interface Event {
  readonly state?: string;
  readonly progress?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly time_ms?: number;
  readonly payload?: unknown;
  readonly payload_base64?: string;
  readonly detail?: string;
}

export const NOTHING: Story = {
  state: "",
  progress: 0,
  doing: "",
  error: "",
  reason: "",
  payload: undefined,
  denied: "",
};

/** The story after one more event; progress goes back only when the job says so. */
export function told(story: Story, type: string, event: Event): Story {
  const state = event.state ?? story.state;
  const progress = event.progress ?? story.progress;
  switch (type) {
    case "state":
      return { ...story, state, progress, error: event.error ?? story.error, reason: event.reason ?? story.reason };
    case "progress":
      return { ...story, state, progress, doing: event.message || story.doing };
    case "done":
      return {
        ...story,
        state: event.state ?? "succeeded",
        progress: 100,
        payload: event.payload ?? event.payload_base64 ?? null,
      };
    case "error":
      return { ...story, state: event.state ?? "failed", error: event.message ?? "", reason: event.reason ?? "" };
    case "denied":
      return { ...story, denied: event.detail ?? "" };
    default:
      return story;
  }
}

/** A line of the log that an event is; null for those that are none. */
export function lineOf(type: string, event: Event): LogLine | null {
  if (type !== "log" && type !== "error") return null;
  if (!event.message) return null;
  const at = event.time_ms === undefined ? {} : { at: event.time_ms };
  return { text: event.message, ...at, ...(type === "error" && { level: "error" as const }) };
}

/** Follows a job by the browser's stream: whole from its beginning, on where it was after a break. `ended` is called when it has. */
export function useStory(jobId: string, ended?: () => void) {
  const [story, setStory] = useState<Story>(NOTHING);
  const log = useLogBuffer();
  const { append, clear } = log;
  const onMessage = useCallback(
    ({ type, data }: { type: string; data: unknown }) => {
      const event = (data ?? {}) as Event;
      if (type === "reset") clear();
      const line = lineOf(type, event);
      if (line) append(line);
      // Thousands of lines a second say nothing else.
      if (type !== "log") setStory((now) => told(now, type, event));
      if (type === "done" || type === "error" || type === "reset") ended?.();
    },
    [append, clear, ended],
  );
  useTopic(`job:${jobId}`, onMessage);
  return { story, log };
}
