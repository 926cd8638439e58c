import { Badge } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { registryTexts } from "./texts";

const COLORS: Record<string, string> = { breaking: "red", compatible: "green", new: "blue" };

/** What a change of a description means to who calls it. */
export function VerdictBadge({ verdict }: { verdict: string }) {
  const { verdicts } = useTexts(registryTexts);
  const name = (verdicts as Record<string, string>)[verdict] ?? verdict;
  return <Badge color={COLORS[verdict] ?? "gray"}>{name}</Badge>;
}
