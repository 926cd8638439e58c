/** What may be sent of a form's value, and what is wrong with it. */
import { Form, FormError, pointer, type ValueFault } from "#/forms";
import { Unreadable } from "#/forms/exactJson";
import { isObject } from "#/forms/nodes";

export interface CheckedForm {
  /** Without what conditions hide: what is to be sent. */
  readonly pruned: unknown;
  readonly faults: readonly ValueFault[];
}

/**
 * As the server will check it; its answer is what counts. Never throws: a form that cannot be checked here (a schema of
 * more than the browser understands) has no faults here.
 */
export function checkForm(schema: unknown, ui: unknown, value: unknown): CheckedForm {
  return checked(compiled(schema, ui).form, value);
}

export interface Compiled {
  readonly form: Form | null;
  /** Why there is none. */
  readonly problem: FormError | null;
}

export function compiled(schema: unknown, ui: unknown): Compiled {
  try {
    return { form: Form.of(isObject(schema) ? schema : null, isObject(ui) ? ui : null), problem: null };
  } catch (error) {
    if (error instanceof FormError) return { form: null, problem: error };
    throw error;
  }
}

export function checked(form: Form | null, value: unknown): CheckedForm {
  const found = told(form, value);
  const unreadable = unreadableIn(found.pruned);
  if (unreadable.length === 0) return found;
  const others = found.faults.filter(
    ({ path }) => !unreadable.some((each) => path === each || path.startsWith(`${each}/`)),
  );
  return { pruned: found.pruned, faults: [...unreadable.map(unread), ...others] };
}

function told(form: Form | null, value: unknown): CheckedForm {
  try {
    if (!form) return { pruned: value, faults: [] };
    const { value: pruned, faults } = form.check(value);
    return { pruned, faults };
  } catch (error) {
    if (error instanceof FormError) return { pruned: value, faults: [] };
    throw error;
  }
}

const NOT_JSON = { en: "cannot be read as JSON", zh: "无法读取为 JSON" };

function unread(path: string): ValueFault {
  return { path, keyword: "type", message: NOT_JSON };
}

function unreadableIn(value: unknown, path: readonly (string | number)[] = []): string[] {
  if (value instanceof Unreadable) return [pointer(path)];
  if (Array.isArray(value)) return value.flatMap((each, index) => unreadableIn(each, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => unreadableIn(each, [...path, name]));
}
