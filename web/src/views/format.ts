import { exactTime } from "#/components/Time";
import { toJson } from "#/forms/exactJson";

/** A value of an answer as one line of text: a text as it is, anything else as JSON. */
export function inline(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  return asJson(value);
}

/** JSON with whole numbers of any size as they are. */
export const asJson = toJson;

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

export function bytes(count: number, locale: string): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(count))) / 10)));
  const shown = new Intl.NumberFormat(locale, { maximumFractionDigits: power ? 1 : 0 }).format(count / 1024 ** power);
  return `${shown} ${UNITS[power]}`;
}

/** Milliseconds for people: `48.2 ms`, `3.1 s`, `2 m 05 s`. */
export function duration(ms: number, locale: string): string {
  const number = (value: number, digits: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  if (ms < 1_000) return `${number(ms, ms < 10 ? 2 : 1)} ms`;
  if (ms < 60_000) return `${number(ms / 1_000, 1)} s`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Math.floor((ms % 60_000) / 1_000)];
  if (minutes < 60) return `${minutes} m ${String(seconds).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

/** A date of an answer (RFC 3339, or ms since 1970) in the page's words; any other text as it is. */
export function moment(value: unknown, locale: string, style: Intl.DateTimeFormatOptions): string {
  const given = typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(given) || Math.abs(given) > 8.64e15) return inline(value);
  return new Intl.DateTimeFormat(locale, style).format(given);
}

/** A moment that says its own time zone is shown in that of who looks, whatever its field is called. */
const INSTANT =
  /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const DATE_TIME = { dateStyle: "medium", timeStyle: "medium" } as const;

/** A value by the `format` that a view gives its column or field; a format that does not fit the value changes nothing. */
export function formatted(value: unknown, format: string, locale: string): string {
  const number = typeof value === "number" ? value : Number.NaN;
  switch (format) {
    case "date-time":
    case "datetime":
      return moment(value, locale, DATE_TIME);
    case "date":
      return moment(value, locale, { dateStyle: "medium" });
    case "bytes":
      return Number.isNaN(number) ? inline(value) : bytes(number, locale);
    case "duration":
    case "ms":
      return Number.isNaN(number) ? inline(value) : duration(number, locale);
    case "percent":
      return Number.isNaN(number)
        ? inline(value)
        : new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(number);
    case "number":
      return Number.isNaN(number)
        ? inline(value)
        : new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(number);
    default:
      return typeof value === "string" && INSTANT.test(value) ? exactTime(Date.parse(value)) : inline(value);
  }
}

const SAFE = new Set(["http:", "https:", "mailto:"]);

/** An address that may be opened from here; null for `javascript:` and whatever else would run or read something. */
export function safeAddress(text: unknown): string | null {
  if (typeof text !== "string" || !text || text.length > 4_096) return null;
  const origin = globalThis.location.origin;
  if (!URL.canParse(text, origin)) return null;
  const url = new URL(text, origin);
  return SAFE.has(url.protocol) ? url.href : null;
}

/** What `path` (`a.b`, `$.a.b`, or the name of a member that has dots in it) leads to in `row`. */
export function member(row: unknown, path: string): unknown {
  if (typeof row !== "object" || row === null) return undefined;
  if (Object.hasOwn(row, path)) return (row as Record<string, unknown>)[path];
  let at: unknown = row;
  for (const name of path.replace(/^\$\.?/, "").split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return name === "" ? at : undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}
