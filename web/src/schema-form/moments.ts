/** RFC 3339 as people type it, and back. */
export type Temporal = "date" | "time" | "date-time";

const DATE = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?/;
const ZONE = /^(?:[zZ]|[+-]\d{2}:\d{2})$/;

export interface Moment {
  /** Without its zone. */
  readonly shown: string;
  /** YYYY-MM-DD; "" of a time. */
  readonly date: string;
  /** `Z`, `+08:00`; "" of a date. */
  readonly zone: string;
}

/** A value as it is written in JSON; null where it is none. */
export function readMoment(value: string, kind: Temporal): Moment | null {
  const parts = split(value, kind);
  if (!parts || (kind !== "date" && !ZONE.test(parts.zone))) return null;
  const zone = kind === "date" ? "" : parts.zone.toUpperCase();
  return { shown: [parts.date, parts.time].filter(Boolean).join(" "), date: parts.date, zone };
}

/** What was typed, as JSON has it; null while it is no moment. A zone that was typed wins over `zone`. */
export function writtenMoment(typed: string, zone: string, kind: Temporal): string | null {
  const parts = split(typed.trim(), kind);
  if (!parts || (parts.zone && !ZONE.test(parts.zone))) return null;
  if (kind === "date") return parts.zone || parts.time ? null : parts.date;
  const time = (parts.time || "00:00:00") + (parts.zone.toUpperCase() || zone);
  return kind === "time" ? time : `${parts.date}T${time}`;
}

function split(text: string, kind: Temporal): { date: string; time: string; zone: string } | null {
  let rest = text;
  let date = "";
  if (kind !== "time") {
    const found = DATE.exec(rest);
    if (!found) return null;
    date = [found[1], two(found[2]), two(found[3])].join("-");
    if (!isDay(date)) return null;
    rest = rest.slice(found[0].length);
    if (rest && !/^[Tt ]/.test(rest)) return null;
    rest = rest.slice(1).trim();
  }
  const found = TIME.exec(rest);
  if (!found) return rest === "" && kind !== "time" ? { date, time: "", zone: "" } : null;
  if (Number(found[1]) > 23 || Number(found[2]) > 59 || Number(found[3] ?? 0) > 60) return null;
  const time = `${two(found[1])}:${found[2]}:${found[3] ?? "00"}${found[4] ?? ""}`;
  return { date, time, zone: rest.slice(found[0].length).trim() };
}

function isDay(date: string): boolean {
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date);
}

function two(part: string | undefined): string {
  return (part ?? "").padStart(2, "0");
}

/** Of this browser, now. */
export function localZone(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(String(Math.floor(size / 60)))}:${two(String(size % 60))}`;
}

const COMMON = ["Z", "-08:00", "-05:00", "+01:00", "+02:00", "+05:30", "+07:00", "+08:00", "+09:00"];

export function zonesFor(zone: string): readonly string[] {
  return [...new Set([localZone(), "Z", zone, ...COMMON])].sort((one, other) => minutesOf(one) - minutesOf(other));
}

function minutesOf(zone: string): number {
  if (zone === "Z") return 0;
  const [hours = "0", minutes = "0"] = zone.slice(1).split(":");
  return (Number(hours) * 60 + Number(minutes)) * (zone.startsWith("-") ? -1 : 1);
}

export function zoneLabel(zone: string): string {
  return zone === "Z" ? "UTC" : `UTC${zone}`;
}
