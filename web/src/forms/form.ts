/** A form in the browser: what the server decides by, to help while one types. The server decides. */
import { Conditions, type State } from "./derive";
import type { FormFault, ValueFault } from "./faults";
import { FaultyForm } from "./faults";
import { isObject, type JsonObject } from "./nodes";
import { relaxed } from "./rewriting";
import type { Schema } from "./schemas";
import { sentence } from "./sentences";
import { Validation } from "./validation";

/** How many faults of a value the server tells. */
export const SHOWN_FAULTS = 10;

export interface Checked {
  /** Without what is hidden; the very same value when nothing of it was. */
  readonly value: unknown;
  readonly faults: readonly ValueFault[];
  readonly hidden: readonly string[];
}

const kept = new WeakMap<object, WeakMap<object, Form>>();
const NONE: JsonObject = {};

/** A compiled form; safe to share. */
export class Form {
  private constructor(
    private readonly validation: Validation | null,
    private readonly conditions: Conditions | null,
  ) {}

  /** The form of a JSON Schema and a UI schema. Throws FormError for a schema that cannot be used, FaultyForm for a UI schema. */
  static compile(schema: Schema | null, ui: JsonObject | null): Form {
    const conditions = ui ? Conditions.read(schema, ui) : null;
    if (!schema) return new Form(null, conditions);
    return new Form(new Validation(conditions?.decide ? relaxed(schema, conditions.place) : schema), conditions);
  }

  /** As `compile`, once for the same two objects. */
  static of(schema: Schema | null, ui: JsonObject | null): Form {
    const bySchema = kept.get(schema ?? NONE) ?? new WeakMap<object, Form>();
    kept.set(schema ?? NONE, bySchema);
    const known = bySchema.get(ui ?? NONE);
    if (known) return known;
    const form = Form.compile(schema, ui);
    bySchema.set(ui ?? NONE, form);
    return form;
  }

  /** What is hidden, required and disabled for `value`. Throws FormError when that would take too long to tell. */
  state(value: unknown): State {
    return this.conditions?.state(value) ?? { value, hidden: [], required: [], missing: [], disabled: [] };
  }

  /** What is hidden is taken away; what is left must fit the schema, and hold what is required now. */
  check(value: unknown, most = Number.POSITIVE_INFINITY): Checked {
    const state = this.state(value);
    const faults = this.validation?.faults(state.value, most) ?? [];
    const missing = this.conditions?.decide ? state.missing : [];
    for (const path of missing) faults.push({ path, keyword: "required", message: sentence("required", null) });
    return { value: state.value, faults: faults.slice(0, most), hidden: state.hidden };
  }
}

/** What is wrong with the conditions of a form whose schema can be used. */
export function formFaults(schema: unknown, ui: JsonObject): readonly FormFault[] {
  try {
    const conditions = Conditions.read(schema, ui);
    if (conditions && isObject(schema)) relaxed(schema, conditions.place);
  } catch (error) {
    if (error instanceof FaultyForm) return error.faults;
    throw error;
  }
  return [];
}
