import { expect, test } from "vitest";
import { inLanguage } from "#/i18n/texts";
import { chartOption } from "./option";
import { type ChartModel, readChart } from "./series";

const given = (options: Record<string, unknown> = {}) => ({
  options,
  title: "Online",
  nameOf: (field: { label: unknown; key: string }) => inLanguage(field.label as string, "en", field.key),
});
const names = (model: ChartModel | null) => model?.series.map(({ name }) => name);

test("series of Prometheus are named by what sets them apart, along time", () => {
  const model = readChart(
    [
      {
        name: "up",
        labels: { __name__: "up", job: "a" },
        data: [
          [1_700_000_000_000, 1],
          [1_700_000_060_000, null],
        ],
      },
    ],
    given({ x: "time" }),
  );
  expect(names(model)).toEqual(['up{job="a"}']);
  expect(model?.axis).toBe("time");
});

test("rows are drawn along their first text, a series for each number", () => {
  const model = readChart(
    [
      { server: "s1", ok: 4, errors: 1 },
      { server: "s2", ok: 5, errors: 0 },
    ],
    given(),
  );
  expect(names(model)).toEqual(["ok", "errors"]);
  expect(model?.series[1]?.points).toEqual([
    ["s1", 1],
    ["s2", 0],
  ]);
});

test("a series is never called y: the view's title says what it is", () => {
  expect(names(readChart([{ x: "a", y: 1 }], given({ x: "x", y: "y" })))).toEqual(["Online"]);
  expect(names(readChart([3, 4, 5], given()))).toEqual(["Online"]);
});

test("labels of fields are those of the language", () => {
  const options = { x: "server", y: [{ key: "ok", label: { en: "Succeeded", zh: "成功" } }] };
  expect(names(readChart([{ server: "s1", ok: 4 }], given(options)))).toEqual(["Succeeded"]);
});

test("a field may split rows into series", () => {
  const rows = [
    { day: "2026-01-01", env: "a", n: "1" },
    { day: "2026-01-02", env: "a", n: "2" },
    { day: "2026-01-01", env: "b", n: "3" },
  ];
  const model = readChart(rows, given({ x: "day", y: "n", series: "env" }));
  expect(names(model)).toEqual(["a", "b"]);
  expect(model?.axis).toBe("time");
});

test("an object of numbers is one series by name", () => {
  expect(readChart({ gold: 3, silver: 5, note: "x" }, given())?.series).toEqual([
    {
      name: "Online",
      points: [
        ["gold", 3],
        ["silver", 5],
      ],
    },
  ]);
});

test("the form of ECharts itself is read", () => {
  const model = readChart({ xAxis: { data: ["a", "b"] }, series: [{ name: "v", data: [1, 2] }] }, given());
  expect(model?.series[0]?.points).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
});

test.each([[null], [[]], ["text"], [{ a: "b" }], [[{ a: "b" }]], [{ series: "no" }], [[[]]]])(
  "nothing is drawn of %j",
  (value) => {
    expect(readChart(value, given())).toBeNull();
  },
);

test("tooltips are drawn, never written as HTML", () => {
  const model: ChartModel = { axis: "category", series: [{ name: "<img onerror=1>", points: [["a", 1]] }] };
  const option = chartOption("bar", model, {
    dark: false,
    locale: "en",
    title: "t",
    other: "o",
    stack: false,
    unit: "",
  });
  expect(option.tooltip).toMatchObject({ renderMode: "richText" });
});

test("a pie of many slices has one for all the small ones", () => {
  const points = Array.from({ length: 40 }, (_, i) => [`n${i}`, 100 - i] as const);
  const option = chartOption(
    "pie",
    { axis: "category", series: [{ name: "t", points }] },
    { dark: true, locale: "en", title: "t", other: "(other)", stack: false, unit: "" },
  );
  const [pie] = option.series as { data: { name: string }[] }[];
  expect(pie?.data).toHaveLength(25);
  expect(pie?.data.at(-1)?.name).toBe("(other)");
});
