import { Progress } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { jobsTexts } from "./texts";

const COLORS: Readonly<Record<string, string>> = {
  succeeded: "green",
  failed: "red",
  canceled: "gray",
  lost: "orange",
};

/** How far a job has come. */
export function ProgressBar({ state, percent }: { state: string; percent: number }) {
  const text = useTexts(jobsTexts);
  const shown = state === "succeeded" ? 100 : Math.min(100, Math.max(0, percent));
  return (
    <div style={{ display: "flex", alignItems: "center", gap: 8, minWidth: 0 }}>
      <Progress.Root size="sm" style={{ flex: 1, minWidth: 30 }}>
        <Progress.Section value={shown} {...(COLORS[state] && { color: COLORS[state] })} aria-label={text.progress} />
      </Progress.Root>
      <span style={{ fontVariantNumeric: "tabular-nums" }}>{shown}%</span>
    </div>
  );
}
