import type { ComponentType } from "react";
import { useTexts } from "#/i18n/texts";
import { ChartView } from "./chart/ChartView";
import { changesOf } from "./diff/changes";
import { Changes } from "./diff/DiffView";
import { JsonView } from "./json/JsonView";
import { LogView } from "./log/LogView";
import { linesOf } from "./log/lines";
import { Mismatch } from "./Mismatch";
import { EntityView, ImageView, KvView, LinkView, NumberView } from "./small";
import type { RendererProps } from "./spec";
import { TableView } from "./TableView";
import { TextView } from "./TextView";
import { viewTexts } from "./texts";

/** Every name a renderer goes by, as in `src/croupier/descriptors/shown.py`; any other is a pack's plugin. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "json.view": ["json", "json.tree", "raw"],
  "table.view": ["table", "table.basic", "table.default"],
  "kv.view": ["kv", "descriptions"],
  "text.view": ["text", "text.plain"],
  "log.view": ["log"],
  "number.view": ["number", "stat", "statistic"],
  "echarts.line": ["chart", "chart.line", "line"],
  "echarts.bar": ["chart.bar", "bar"],
  "echarts.pie": ["chart.pie", "pie"],
  "diff.view": ["diff"],
  "image.view": ["image"],
  "link.view": ["links", "link.list"],
  "entity.view": ["entity"],
};

const RENDERERS: Readonly<Record<string, ComponentType<RendererProps>>> = {
  "json.view": ({ value, label }) => <JsonView value={value} label={label} />,
  "table.view": TableView,
  "kv.view": KvView,
  "text.view": ({ value, label }) => <TextView value={value} label={label} />,
  "log.view": ({ value, label }) => <LogView lines={linesOf(value)} label={label} follow={false} />,
  "number.view": NumberView,
  "echarts.line": (props) => <ChartView kind="line" {...props} />,
  "echarts.bar": (props) => <ChartView kind="bar" {...props} />,
  "echarts.pie": (props) => <ChartView kind="pie" {...props} />,
  "diff.view": DiffRenderer,
  "image.view": ImageView,
  "link.view": LinkView,
  "entity.view": EntityView,
};

const CANONICAL = new Map(
  Object.entries(NAMES).flatMap(([name, others]) => [name, ...others].map((each) => [each, name] as const)),
);

/** What `name` is called among ours; null when none of ours draws it. */
export function canonicalRenderer(name: string): string | null {
  return CANONICAL.get(name) ?? null;
}

export function rendererOf(name: string): ComponentType<RendererProps> | null {
  const canonical = canonicalRenderer(name);
  return canonical ? (RENDERERS[canonical] ?? null) : null;
}

function DiffRenderer({ value }: RendererProps) {
  const text = useTexts(viewTexts);
  const found = changesOf(value);
  return found ? <Changes changes={found} /> : <Mismatch message={text.notAList} value={value} />;
}
