/** Numbers as they are typed. */
import type { JsonObject } from "#/forms/nodes";
import { ABSENT } from "./place";

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A number, a `bigint` beyond 2^53 (or a text of its digits, where the schema has them so); what is none, or has more digits
 * than can be sent, stays the text that it is.
 */
export function readNumber(typed: string, digitsAsText: boolean): number | bigint | string {
  const text = typed.trim().replace(/^\+/, "");
  if (WHOLE.test(text)) {
    const number = Number(text);
    if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
    return digitsAsText ? text : BigInt(text);
  }
  if (!DECIMAL.test(text)) return typed;
  const number = Number(text);
  return Number.isFinite(number) && significant(text) === significant(String(number)) ? number : typed;
}

/** The digits that count, so that rounding is seen. */
function significant(text: string): string {
  const [mantissa = ""] = text.toLowerCase().replace(/^-/, "").split("e");
  const digits = mantissa.replace(".", "").replace(/^0+/, "");
  return digits.replace(/0+$/, "");
}

export function shownNumber(value: unknown): string {
  return value === ABSENT || value === null ? "" : typeof value === "string" ? value : String(value);
}

/** One step up or down, within the limits; null where that is nothing to count with. */
export function stepped(value: unknown, direction: 1 | -1, schema: JsonObject): string | null {
  const { multipleOf, minimum, maximum } = schema;
  const step = typeof multipleOf === "number" && multipleOf > 0 ? multipleOf : 1;
  if (typeof value === "bigint") return String(value + BigInt(direction));
  const from = typeof value === "number" ? value : typeof minimum === "number" ? minimum - direction * step : 0;
  if (value !== ABSENT && typeof value !== "number") return null;
  let next = Number((from + direction * step).toPrecision(15));
  if (typeof minimum === "number") next = Math.max(next, minimum);
  if (typeof maximum === "number") next = Math.min(next, maximum);
  return String(next);
}
