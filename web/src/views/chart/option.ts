import type { ChartModel, Point, Series } from "./series";

export type ChartKind = "line" | "bar" | "pie";

export interface Look {
  readonly dark: boolean;
  readonly locale: string;
  readonly title: string;
  readonly other: string;
  readonly stack: boolean;
  readonly unit: string;
}

const LIGHT = [
  "#4263eb",
  "#d9480f",
  "#2b8a3e",
  "#9c36b5",
  "#0b7285",
  "#c2255c",
  "#5c940d",
  "#862e9c",
  "#e67700",
  "#495057",
];
const DARK = [
  "#91a7ff",
  "#ffa94d",
  "#8ce99a",
  "#e599f7",
  "#66d9e8",
  "#faa2c1",
  "#c0eb75",
  "#b197fc",
  "#ffe066",
  "#ced4da",
];
const SLICES = 24;
const SYMBOLS = 60;

/** What ECharts is told. Texts of an answer reach it as texts alone: tooltips are drawn, not written as HTML. */
export function chartOption(kind: ChartKind, model: ChartModel, look: Look): Record<string, unknown> {
  const ink = look.dark ? "#c9c9c9" : "#343a40";
  const faint = look.dark ? "#3b3b3b" : "#e3e6ea";
  const number = new Intl.NumberFormat(look.locale, { maximumFractionDigits: 4 });
  const valueFormatter = (value: unknown) =>
    typeof value === "number" ? `${number.format(value)}${look.unit && ` ${look.unit}`}` : "—";
  const common = {
    color: look.dark ? DARK : LIGHT,
    textStyle: { color: ink, fontSize: 11, fontFamily: "inherit" },
    animation: false,
    aria: { enabled: true },
    legend: {
      type: "scroll",
      top: 0,
      textStyle: { color: ink, fontSize: 11 },
      show: kind === "pie" || model.series.length > 1 || model.series[0]?.name !== look.title,
    },
    tooltip: {
      renderMode: "richText",
      trigger: kind === "pie" ? "item" : "axis",
      confine: true,
      valueFormatter,
      backgroundColor: look.dark ? "#1f1f1f" : "#ffffff",
      borderColor: faint,
      textStyle: { color: ink, fontSize: 11 },
    },
  };
  if (kind === "pie") return { ...common, series: [pie(model, look, ink)] };
  const axisLine = { lineStyle: { color: faint } };
  return {
    ...common,
    grid: { left: 8, right: 16, top: 32, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: model.axis,
      ...(model.axis === "category" && { data: categories(model) }),
      axisLabel: { color: ink, fontSize: 11, hideOverlap: true },
      axisLine,
      axisTick: axisLine,
      splitLine: { show: false },
      ...(model.axis === "category" && { boundaryGap: kind === "bar" }),
    },
    yAxis: {
      type: "value",
      scale: kind === "line",
      axisLabel: { color: ink, fontSize: 11, formatter: (value: number) => number.format(value) },
      splitLine: { lineStyle: { color: faint } },
    },
    series: model.series.map((series) => drawn(kind, series, model, look.stack)),
  };
}

function drawn(
  kind: "line" | "bar",
  { name, points }: Series,
  model: ChartModel,
  stack: boolean,
): Record<string, unknown> {
  return {
    type: kind,
    name,
    data: model.axis === "category" ? byCategory(points, categories(model)) : points,
    ...(stack && { stack: "all" }),
    ...(kind === "line" && {
      showSymbol: points.length <= SYMBOLS,
      sampling: "lttb",
      lineStyle: { width: 1.5 },
      ...(stack && { areaStyle: { opacity: 0.3 } }),
    }),
    ...(kind === "bar" && { barMaxWidth: 48, large: points.length > 2_000 }),
    emphasis: { focus: "series" },
  };
}

function categories(model: ChartModel): readonly string[] {
  return [...new Set(model.series.flatMap(({ points }) => points.map(([x]) => String(x))))];
}

function byCategory(points: readonly Point[], names: readonly string[]): readonly (number | null)[] {
  const values = new Map(points.map(([x, y]) => [String(x), y]));
  return names.map((name) => values.get(name) ?? null);
}

/** The largest slices by name; the many small ones are one. */
function pie(model: ChartModel, look: Look, ink: string): Record<string, unknown> {
  const slices =
    model.series.length > 1
      ? model.series.map(total)
      : (model.series[0]?.points ?? []).map(([x, y]) => ({ name: String(x), value: y ?? 0 }));
  const sorted = [...slices].sort((a, b) => b.value - a.value);
  const rest = sorted.slice(SLICES).reduce((sum, { value }) => sum + value, 0);
  const data = [...sorted.slice(0, SLICES), ...(rest > 0 ? [{ name: look.other, value: rest }] : [])];
  return {
    type: "pie",
    name: look.title,
    radius: ["35%", "68%"],
    center: ["50%", "56%"],
    data,
    label: { color: ink, fontSize: 11 },
  };
}

function total({ name, points }: Series): { name: string; value: number } {
  return { name, value: points.reduce((sum, [, y]) => sum + (y ?? 0), 0) };
}
