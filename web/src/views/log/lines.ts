import { inline } from "../format";
import { isObject } from "../spec";

export type Level = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at?: number;
  readonly level?: Level;
}

export const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

const WORDS: readonly (readonly [Level, RegExp])[] = [
  [
    "error",
    /^\W*(error|err|fatal|critical|crit|panic|severe|exception|traceback|错误|失败)\b|\b(ERROR|FATAL|CRITICAL|PANIC)\b|\[(error|fatal)\]/i,
  ],
  ["warn", /^\W*(warn|warning|警告)\b|\b(WARN|WARNING)\b|\[warn(ing)?\]/i],
  ["debug", /^\W*(debug|trace|verbose)\b|\b(DEBUG|TRACE)\b|\[(debug|trace)\]/i],
];
const LOOKED_AT = 200;

/** How grave a line is: as it says, else by the words it begins with. */
export function levelOf(line: LogLine): Level {
  if (line.level) return line.level;
  const begin = line.text.slice(0, LOOKED_AT);
  return WORDS.find(([, pattern]) => pattern.test(begin))?.[0] ?? "info";
}

export function readLevel(said: unknown): Level | undefined {
  if (typeof said !== "string") return undefined;
  const word = said.toLowerCase();
  return LEVELS.find((level) => level === word) ?? WORDS.find(([, pattern]) => pattern.test(word))?.[0];
}

/** The lines of an answer: a text, a list of texts, or of objects with `time`, `level` and `message` in their usual spellings. */
export function linesOf(value: unknown): readonly LogLine[] {
  if (typeof value === "string") return value.split("\n").map((text) => ({ text }));
  if (Array.isArray(value)) return value.flatMap(linesOfEntry);
  if (isObject(value) && (Array.isArray(value.lines) || typeof value.lines === "string")) return linesOf(value.lines);
  return value === null || value === undefined ? [] : [{ text: inline(value) }];
}

function linesOfEntry(entry: unknown): readonly LogLine[] {
  if (!isObject(entry)) return [{ text: inline(entry) }];
  const text = entry.message ?? entry.msg ?? entry.text ?? entry.line;
  if (text === undefined) return [{ text: inline(entry) }];
  const at = timeOf(entry.time ?? entry.ts ?? entry.timestamp ?? entry.at);
  const level = readLevel(entry.level ?? entry.severity);
  return [{ text: inline(text), ...(at !== undefined && { at }), ...(level && { level }) }];
}

function timeOf(said: unknown): number | undefined {
  const ms =
    typeof said === "number"
      ? said < 1e11
        ? said * 1_000
        : said
      : typeof said === "string"
        ? Date.parse(said)
        : Number.NaN;
  return Number.isNaN(ms) || Math.abs(ms) > 8.64e15 ? undefined : ms;
}

/** The lines of at least `least` that have `search` in them, by their places. */
export function found(lines: readonly LogLine[], search: string, least: Level): readonly number[] | null {
  if (!search && least === "debug") return null;
  const wanted = search.toLowerCase();
  const from = LEVELS.indexOf(least);
  const places: number[] = [];
  for (const [place, line] of lines.entries()) {
    if (from > 0 && LEVELS.indexOf(levelOf(line)) < from) continue;
    if (!wanted || line.text.toLowerCase().includes(wanted)) places.push(place);
  }
  return places;
}

/** `12:03:07.120`, as the machine where the page is read counts time. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** All of it as text, with whole times: what is copied and saved. */
export function asText(lines: readonly LogLine[]): string {
  return lines
    .map((line) => (line.at === undefined ? line.text : `${new Date(line.at).toISOString()} ${line.text}`))
    .join("\n");
}
