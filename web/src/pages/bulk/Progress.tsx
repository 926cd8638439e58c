import { Progress as Bar, Group, Text } from "@mantine/core";
import { useLocale, useTexts } from "#/i18n/texts";
import { duration } from "#/views";
import { type Bulk, OVER } from "./queries";
import { ROW_STATES, type RowState } from "./routes";
import { bulkTexts } from "./texts";

const COLORS: Readonly<Record<RowState, string>> = {
  succeeded: "green",
  failed: "red",
  unknown: "orange",
  running: "blue",
  invalid: "yellow",
  skipped: "gray",
  canceled: "gray",
  pending: "dark.1",
};

/** How many rows are where, how fast, and for how long still. */
export function Progress({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const locale = useLocale();
  const there = ROW_STATES.filter((state) => (bulk.counts[state] ?? 0) > 0);
  const share = (state: RowState) => ((bulk.counts[state] ?? 0) / Math.max(1, bulk.rows)) * 100;
  const speed = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(bulk.speed);
  return (
    <div>
      <Group gap="xs" wrap="nowrap">
        <Bar.Root size="lg" style={{ flex: 1 }}>
          {there
            .filter((state) => state !== "pending")
            .map((state) => (
              <Bar.Section key={state} value={share(state)} color={COLORS[state]} aria-label={text.rowStates[state]} />
            ))}
        </Bar.Root>
        <Text fw={600}>{bulk.progress}%</Text>
      </Group>
      <Group gap="md" mt={6} aria-live="polite">
        {there.map((state) => (
          <span key={state}>
            {text.rowStates[state]} <strong>{(bulk.counts[state] ?? 0).toLocaleString(locale)}</strong>
          </span>
        ))}
        {!OVER.has(bulk.state) && (
          <Text c="dimmed" ms="auto">
            {text.speed(speed)}
            {bulk.eta_seconds !== null &&
              bulk.eta_seconds !== undefined &&
              ` · ${text.eta(duration(bulk.eta_seconds * 1_000, locale))}`}
          </Text>
        )}
      </Group>
    </div>
  );
}
