import type { Options } from "../spec";

/** What is said between the page and a pack's frame; docs/reference/plugins.md tells it to those who write plugins. */
export const PROTOCOL = 1;

/** From the page, when the frame has said `ready` and whenever something of it changes. */
export interface DataMessage {
  readonly croupier: typeof PROTOCOL;
  readonly type: "data";
  readonly view: { readonly id: string; readonly renderer: string; readonly title: string; readonly options: Options };
  readonly value: unknown;
  readonly theme: "light" | "dark";
  readonly lang: string;
}

export type FrameMessage =
  | { readonly type: "ready" }
  | { readonly type: "height"; readonly height: number }
  | { readonly type: "error"; readonly message: string };

const LOWEST = 24;
const HIGHEST = 4_000;
const LONGEST = 2_000;

/** A message of a frame; null for what is none. A frame may send anything at all. */
export function readFrameMessage(data: unknown): FrameMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const said = data as Readonly<Record<string, unknown>>;
  if (said.croupier !== PROTOCOL) return null;
  if (said.type === "ready") return { type: "ready" };
  if (said.type === "height" && typeof said.height === "number" && Number.isFinite(said.height)) {
    return { type: "height", height: Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(said.height))) };
  }
  if (said.type === "error") return { type: "error", message: String(said.message).slice(0, LONGEST) };
  return null;
}
