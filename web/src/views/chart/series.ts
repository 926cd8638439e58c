import { type FieldSpec, readFields } from "../fields";
import { inline, member } from "../format";
import { isObject, type Json, type Options, textOf } from "../spec";

export type Point = readonly [x: string | number, y: number | null];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface ChartModel {
  /** What x is: a name, a moment (ms since 1970), a number. */
  readonly axis: "category" | "time" | "value";
  readonly series: readonly Series[];
}

/** What a field is called in the page's language. */
export type NameField = (field: FieldSpec) => string;

export const MOST_SERIES = 100;
export const MOST_POINTS = 50_000;
const LOOKED_AT = 200;

interface Given {
  readonly options: Options;
  /** The view's title: the name of a series that has no other. */
  readonly title: string;
  readonly nameOf: NameField;
}

/** The series in an answer, in any shape that packs give them (docs/reference/views.md); null when there is nothing to draw. */
export function readChart(value: unknown, given: Given): ChartModel | null {
  const series = readSeries(value, given)
    .slice(0, MOST_SERIES)
    .map(({ name, points }) => ({ name, points: points.slice(0, MOST_POINTS) }))
    .filter(({ points }) => points.some(([, y]) => y !== null));
  if (series.length === 0) return null;
  return onAxis(series, textOf(given.options.x) === "time" || textOf(given.options.axis) === "time");
}

function readSeries(value: unknown, given: Given): readonly Series[] {
  if (isObject(value)) return ofObject(value, given);
  if (!Array.isArray(value) || value.length === 0) return [];
  if (value.every(isNamedSeries))
    return value.map((each: Json) => ({
      name: seriesName(each, given.title),
      points: pointsOf(each.data ?? each.values ?? each.points, null),
    }));
  if (value.some(isObject)) return ofRows(value.filter(isObject), given);
  return [{ name: given.title, points: pointsOf(value, null) }];
}

function isNamedSeries(value: unknown): boolean {
  return isObject(value) && (Array.isArray(value.data) || Array.isArray(value.values) || Array.isArray(value.points));
}

/** `{x: [...], series: [{name, data}]}` in its spellings, or numbers by name. */
function ofObject(value: Json, given: Given): readonly Series[] {
  const xAxis = isObject(value.xAxis) ? value.xAxis.data : undefined;
  const names = [value.x, value.categories, value.labels, value.timestamps, xAxis].find(Array.isArray) ?? null;
  if (Array.isArray(value.series)) {
    return value.series
      .filter(isObject)
      .map((each) => ({ name: seriesName(each, given.title), points: pointsOf(each.data ?? each.values, names) }));
  }
  if (names && Array.isArray(value.y)) return [{ name: given.title, points: pointsOf(value.y, names) }];
  const rows = [value.rows, value.items, value.data].find(Array.isArray);
  if (rows) return readSeries(rows, given);
  const numbers = Object.entries(value).filter(([, each]) => numberOf(each) !== null);
  return [{ name: given.title, points: numbers.map(([name, each]) => [name, numberOf(each)] as const) }];
}

/** Rows of a table: `options.x` names what they are drawn along, `options.y` the numbers, `options.series` what splits them. */
function ofRows(rows: readonly Json[], { options, title, nameOf }: Given): readonly Series[] {
  const fields = Object.keys(rows[0] ?? {});
  const numeric = (name: string) =>
    rows.slice(0, LOOKED_AT).some((row) => numberOf(member(row, name)) !== null) &&
    rows
      .slice(0, LOOKED_AT)
      .every(
        (row) => member(row, name) === null || member(row, name) === undefined || numberOf(member(row, name)) !== null,
      );
  const wantedX = fieldName(options.x ?? options.category ?? options.name);
  const x =
    wantedX && rows.some((row) => member(row, wantedX) !== undefined)
      ? wantedX
      : (fields.find((name) => !numeric(name)) ?? "");
  const given = readFields([options.y ?? options.value ?? options.values].flat());
  const named = readFields(options.columns ?? options.fields);
  const ys = given.length > 0 ? given : readFields(fields.filter((name) => name !== x && numeric(name)));
  const label = (field: FieldSpec) =>
    nameOf(field.label === field.key ? (named.find(({ key }) => key === field.key) ?? field) : field);
  const at = (row: Json, place: number) => xOf(x ? member(row, x) : place + 1);
  const split = fieldName(options.series ?? options.group);
  if (split) return splitBy(rows, split, at, ys, label);
  return ys.map((field) => ({
    // A field called y or value says nothing: the title of the view does.
    name: ys.length === 1 && /^(y|value|v|count|n)$/i.test(label(field)) ? title : label(field),
    points: rows.map((row, place) => [at(row, place), numberOf(member(row, field.key))] as const),
  }));
}

function splitBy(
  rows: readonly Json[],
  split: string,
  at: (row: Json, place: number) => string | number,
  ys: readonly FieldSpec[],
  label: NameField,
): readonly Series[] {
  const series = new Map<string, [string | number, number | null][]>();
  for (const [place, row] of rows.entries()) {
    for (const field of ys) {
      const name = ys.length > 1 ? `${inline(member(row, split))} · ${label(field)}` : inline(member(row, split));
      const points = series.get(name) ?? [];
      points.push([at(row, place), numberOf(member(row, field.key))]);
      series.set(name, points);
    }
  }
  return [...series].map(([name, points]) => ({ name, points }));
}

function fieldName(given: unknown): string {
  return isObject(given) ? textOf(given.key, textOf(given.field)) : textOf(given);
}

/** What a series is called: its name and what sets it apart, as Prometheus writes it: `up{job="a"}`. */
export function seriesName(series: Json, title: string): string {
  const name = textOf(series.name, textOf(series.label, textOf(series.title)));
  const labels = series.labels ?? series.metric;
  if (!isObject(labels)) return name || title;
  const rest = Object.entries(labels).filter(([key, value]) => key !== "__name__" && value !== name);
  const said = rest.map(([key, value]) => `${key}="${inline(value)}"`).join(", ");
  return `${name || textOf(labels.__name__)}${said && `{${said}}`}` || title;
}

function pointsOf(data: unknown, names: readonly unknown[] | null): readonly Point[] {
  if (!Array.isArray(data)) return [];
  return data.map((each: unknown, place): Point => {
    if (Array.isArray(each)) return [xOf(each[0]), numberOf(each[1])];
    if (isObject(each))
      return [xOf(each.x ?? each.name ?? each.time ?? names?.[place] ?? place + 1), numberOf(each.y ?? each.value)];
    return [xOf(names ? names[place] : place + 1), numberOf(each)];
  });
}

function xOf(value: unknown): string | number {
  return typeof value === "number" ? value : inline(value);
}

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/** A number, also of a text that is one, as Prometheus and CSV write them. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : null;
}

const MOMENT = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|$)/;
const AFTER_1990 = 631_152_000_000;

function onAxis(series: readonly Series[], time: boolean): ChartModel {
  const all = series.flatMap(({ points }) => points.map(([x]) => x));
  const moments = all.every((x) => (typeof x === "number" ? x > AFTER_1990 : MOMENT.test(x)));
  if (moments || (time && all.every((x) => typeof x === "number"))) {
    return {
      axis: "time",
      series: series.map(({ name, points }) => ({
        name,
        points: points.map(([x, y]) => [typeof x === "number" ? x : Date.parse(x), y] as const),
      })),
    };
  }
  return {
    axis: all.every((x) => typeof x === "number") && series.length > 0 && isSpread(all) ? "value" : "category",
    series,
  };
}

/** Numbers 1, 2, 3… are places, not measures: they are drawn as names. */
function isSpread(all: readonly (string | number)[]): boolean {
  return all.some((x) => typeof x === "number" && !Number.isInteger(x));
}
