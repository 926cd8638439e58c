/**
 * Values as the template language counts and compares them: the same in Python and in JavaScript.
 * Numbers are IEEE doubles. A whole one up to 2^53 is written without a fraction.
 */
import { type Budget, isNumber, isObject, NOTHING, same } from "./nodes";

const SAFE_INTEGER = 2 ** 53;
export const MOST_DIGITS = 20;
const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const DECIMAL_CHARACTERS = 400;
/** 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

/** A number, or a text that is one in decimal notation; null for anything else. */
export function number(value: unknown): number | null {
  let found: number;
  if (typeof value === "string") {
    const text = value.replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, "");
    if (text.length > DECIMAL_CHARACTERS || !DECIMAL.test(text)) return null;
    found = Number(text);
  } else if (isNumber(value)) {
    found = Number(value);
  } else {
    return null;
  }
  return Number.isFinite(found) ? found : null;
}

/** A number as JSON has it; NOTHING for none. */
export function written(value: number | null): unknown {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  return value === 0 ? 0 : value;
}

/** Rounded to `digits` after the point, halves away from zero. */
export function fixed(value: number | null, digits: number): unknown {
  return value === null || Math.abs(value) >= 1e21 ? written(value) : written(Number(value.toFixed(digits)));
}

/** `2026-01-31T08:00:00.000Z`; a fraction of a millisecond is cut off. NOTHING outside the years 1 to 9999. */
export function iso(milliseconds: number | null): unknown {
  if (milliseconds === null) return NOTHING;
  const whole = Math.trunc(milliseconds);
  return whole >= FIRST_MS && whole <= LAST_MS ? new Date(whole).toISOString() : NOTHING;
}

/** A text, a whole number or true and false as text; null for anything else. */
export function text(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (isNumber(value) && Number.isInteger(Number(value)) && Math.abs(Number(value)) <= SAFE_INTEGER)
    return String(value);
  return null;
}

/** Whether a list has an equal element, or a text has the other text in it. */
export function contains(holder: unknown, sought: unknown, budget: Budget): boolean {
  if (Array.isArray(holder)) {
    budget.spend(holder.length);
    return holder.some((each) => same(each, sought, budget));
  }
  const whole = text(holder);
  const part = text(sought);
  return whole !== null && part !== null && whole.includes(part);
}

/** How much of an output a value takes: one for each value, and the characters of texts and of names. */
export function size(value: unknown): number {
  let total = 0;
  const waiting = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    total += 1;
    if (typeof each === "string") total += each.length;
    else if (Array.isArray(each)) for (const inner of each) waiting.push(inner);
    else if (isObject(each)) {
      for (const [name, inner] of Object.entries(each)) {
        total += name.length;
        waiting.push(inner);
      }
    }
  }
  return total;
}
