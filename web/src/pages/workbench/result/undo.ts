import { FaultyForm, FormError, Transform } from "#/forms";
import type { FunctionSheet } from "#/functions/functions";
import { mannerOf } from "../sheet";

/** The call that takes back one with `payload`, as the description says; null where it says nothing that can be read. */
export function undoOf(sheet: FunctionSheet, payload: unknown): { functionId: string; args: unknown } | null {
  const { inverse } = mannerOf(sheet);
  if (!inverse) return null;
  try {
    return { functionId: inverse.functionId, args: Transform.read({ template: inverse.args }).apply(payload) };
  } catch (error) {
    if (error instanceof FaultyForm || error instanceof FormError) return null;
    throw error;
  }
}
