import { Skeleton } from "@mantine/core";
import { lazy, Suspense, useMemo } from "react";
import { type Bilingual, inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { Mismatch } from "../Mismatch";
import type { RendererProps } from "../spec";
import { viewTexts } from "../texts";
import type { ChartKind } from "./option";
import { readChart } from "./series";

const Chart = lazy(async () => ({ default: (await import("./Chart")).Chart }));

const LOWEST = 120;
const HIGHEST = 900;
const USUAL = 320;

export function ChartView({ kind, value, options, label }: RendererProps & { kind: ChartKind }) {
  const text = useTexts(viewTexts);
  const language = useLanguage();
  const model = useMemo(
    () => readChart(value, { options, title: label, nameOf: (field) => inLanguage(field.label, language, field.key) }),
    [value, options, label, language],
  );
  const height = typeof options.height === "number" ? Math.min(HIGHEST, Math.max(LOWEST, options.height)) : USUAL;
  if (!model) return <Mismatch message={text.notNumbers} value={value} />;
  return (
    <Suspense fallback={<Skeleton height={height} />}>
      <Chart
        kind={kind}
        model={model}
        title={label}
        other={text.other}
        stack={options.stack === true || options.stacked === true}
        unit={inLanguage(options.unit as Bilingual, language)}
        height={height}
      />
    </Suspense>
  );
}
