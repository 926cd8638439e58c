import { Text, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLocale, useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** `ms` since 1970 as "3 min. ago"; the exact time is one hover away. 0 and null are "never". */
export function Time({ ms, exact = false }: { ms: number | null | undefined; exact?: boolean }) {
  const locale = useLocale();
  const text = useTexts(commonTexts);
  const now = useNow(exact ? 0 : 10_000);
  if (!ms) return <Text span>{text.never}</Text>;
  const moment = exactTime(ms);
  if (exact) return <time dateTime={new Date(ms).toISOString()}>{moment}</time>;
  return (
    <Tooltip label={moment}>
      <time dateTime={new Date(ms).toISOString()}>{relative(ms - now, locale)}</time>
    </Tooltip>
  );
}

// Swedish writes what ISO 8601 does, in the time zone of the browser: 2026-01-31 18:04:03, the same in every language.
const EXACT = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

export function exactTime(ms: number): string {
  return EXACT.format(ms);
}

export function relative(difference: number, locale: string): string {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(difference) >= size) ?? ["second", 1_000];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }).format(
    Math.round(difference / size),
    unit,
  );
}

/** The present time in ms, again every `every` ms; 0 never. */
export function useNow(every: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
