import { Condition } from "../src/forms/conditions";
import { derive } from "../src/forms/derive";
import { FaultyForm, FormError, pointer, type ValueFault } from "../src/forms/faults";
import { Form, SHOWN_FAULTS } from "../src/forms/form";
import type { JsonObject } from "../src/forms/nodes";
import { Transform } from "../src/forms/transforms";
import { Validation } from "../src/forms/validation";

/** One case of any kind, as conformance/README.md tells them. */
export interface Case {
  readonly kind: "conditions" | "transforms" | "forms";
  readonly expr: string;
  readonly context: unknown;
  readonly around: unknown;
  readonly transform: unknown;
  readonly value: unknown;
  readonly schema: JsonObject | null;
  readonly ui: JsonObject | null;
  readonly data: unknown;
}

export function answers(cases: readonly Case[]): unknown[] {
  return cases.map((each) => {
    try {
      if (each.kind === "conditions") return { result: Condition.read(each.expr).holds(each.context, each.around) };
      return each.kind === "transforms" ? ofTransform(each) : ofForm(each);
    } catch (error) {
      if (error instanceof FaultyForm) return { refused: error.faults.map((fault) => pointer(fault.path)).sort() };
      if (error instanceof FormError) return { error: true };
      return { broken: String(error) };
    }
  });
}

function ofTransform({ transform, value }: Case): unknown {
  return { result: Transform.read(transform).apply(value) };
}

function ofForm({ schema, ui, data }: Case): unknown {
  const { value, faults, hidden } = Form.compile(schema, ui).check(data, SHOWN_FAULTS);
  const { required, disabled, schema: inForce } = derive(schema, ui ?? {}, data);
  const again = inForce ? new Validation(inForce as JsonObject).faults(value, SHOWN_FAULTS) : [];
  const state = { hidden: [...hidden].sort(), required: [...required].sort(), disabled: [...disabled].sort() };
  return { ...state, pruned: value, faults: places(faults), inForce: places(again) };
}

/** null when there may be more than are told. */
function places(faults: readonly ValueFault[]): string[] | null {
  return faults.length < SHOWN_FAULTS
    ? [...new Set(faults.map(({ path, keyword }) => `${path} ${keyword}`))].sort()
    : null;
}
