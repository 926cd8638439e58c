import { describe, expect, test } from "vitest";
import { Condition } from "./conditions";
import { derive } from "./derive";
import { FaultyForm, FormError, pointer, type ValueFault } from "./faults";
import { fixture, sameJson } from "./fixtures";
import { Form, SHOWN_FAULTS } from "./form";
import type { JsonObject } from "./nodes";
import { Transform } from "./transforms";
import { Validation } from "./validation";

interface Case {
  readonly name: string;
  readonly needs?: string;
}

interface ConditionCase extends Case {
  readonly expr: string;
  readonly context?: unknown;
  readonly around?: unknown;
  readonly result?: boolean;
  readonly error?: boolean;
}

interface TransformCase extends Case {
  readonly transform: unknown;
  readonly value: unknown;
  readonly result: unknown;
  readonly refused?: string[];
  readonly error?: boolean;
}

interface FormCase extends Case {
  readonly schema: JsonObject | null;
  readonly ui: JsonObject | null;
  readonly data: unknown;
  readonly refused?: string[];
  readonly expect?: {
    readonly hidden: string[];
    readonly pruned: unknown;
    readonly faults: { path: string; keyword: string }[];
    readonly required: string[];
    readonly disabled?: string[];
  };
}

/** A browser's engine of patterns backtracks: conformance/README.md lets it leave these out. */
function runnable<T extends Case>(cases: readonly T[]): [string, T][] {
  return cases.filter((each) => each.needs !== "linear patterns").map((each) => [each.name, each]);
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

function refusedPaths(act: () => unknown): string[] {
  const error = thrownBy(act);
  expect(error).toBeInstanceOf(FaultyForm);
  return error instanceof FaultyForm ? error.faults.map((fault) => pointer(fault.path)).sort() : [];
}

function places(faults: readonly { path: string; keyword: string }[]): string[] {
  return faults.map(({ path, keyword }) => `${path} ${keyword}`).sort();
}

const conditions = fixture<{ context: unknown; cases: ConditionCase[] }>("forms/conditions");

describe("conditions", () => {
  test.each(runnable(conditions.cases))("%s", (_, each) => {
    const context = "context" in each ? each.context : conditions.context;
    const holds = () => Condition.read(each.expr).holds(context, "around" in each ? each.around : context);
    if (each.error) expect(thrownBy(holds)).toBeInstanceOf(FormError);
    else expect(holds()).toBe(each.result);
  });
});

describe("transforms", () => {
  test.each(runnable(fixture<{ cases: TransformCase[] }>("forms/transforms").cases))("%s", (_, each) => {
    if (each.refused) {
      expect(refusedPaths(() => Transform.read(each.transform))).toEqual(each.refused);
      return;
    }
    const transform = Transform.read(each.transform);
    const before = JSON.stringify(each.value);
    if (each.error) expect(thrownBy(() => transform.apply(each.value))).toBeInstanceOf(FormError);
    else expect(sameJson(transform.apply(each.value), each.result)).toBe(true);
    expect(JSON.stringify(each.value)).toBe(before);
  });
});

const forms = fixture<{ cases: FormCase[] }>("forms/forms").cases;

describe("forms", () => {
  test.each(runnable(forms))("%s", (_, each) => {
    if (each.refused || !each.expect) {
      expect(refusedPaths(() => Form.compile(each.schema, each.ui))).toEqual(each.refused);
      return;
    }
    const before = JSON.stringify(each.data);
    const checked = Form.compile(each.schema, each.ui).check(each.data, SHOWN_FAULTS);
    expect(sameJson(checked.value, each.expect.pruned)).toBe(true);
    expect([...checked.hidden].sort()).toEqual([...each.expect.hidden].sort());
    expect(places(checked.faults)).toEqual(places(each.expect.faults));
    expect(JSON.stringify(each.data)).toBe(before);
  });

  test.each(runnable(forms.filter((each) => each.expect)))("the schema in force finds the same: %s", (_, each) => {
    const derived = derive(each.schema, each.ui ?? {}, each.data);
    const wanted = each.expect;
    expect([...derived.hidden].sort()).toEqual([...(wanted?.hidden ?? [])].sort());
    expect([...derived.required].sort()).toEqual([...(wanted?.required ?? [])].sort());
    expect([...derived.disabled].sort()).toEqual([...(wanted?.disabled ?? [])].sort());
    if (!derived.schema) return;
    const found: ValueFault[] = new Validation(derived.schema as JsonObject).faults(wanted?.pruned, SHOWN_FAULTS);
    expect(new Set(places(found))).toEqual(new Set(places(wanted?.faults ?? [])));
  });
});
