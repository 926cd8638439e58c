import { useComputedColorScheme } from "@mantine/core";
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useLocale } from "#/i18n/texts";
import { type ChartKind, chartOption } from "./option";
import type { ChartModel } from "./series";

use([BarChart, LineChart, PieChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

interface Props {
  readonly kind: ChartKind;
  readonly model: ChartModel;
  readonly title: string;
  readonly other: string;
  readonly stack: boolean;
  readonly unit: string;
  readonly height: number;
}

/** Loaded when the first chart is shown: ECharts is as large as the rest of the page. */
export function Chart({ kind, model, title, other, stack, unit, height }: Props) {
  const dark = useComputedColorScheme("light") === "dark";
  const locale = useLocale();
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const made = init(element, null, { renderer: "svg" });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(chartOption(kind, model, { dark, locale, title, other, stack, unit }), { notMerge: true });
  }, [kind, model, dark, locale, title, other, stack, unit]);
  return <div ref={frame} role="img" aria-label={title} style={{ height, width: "100%" }} />;
}
