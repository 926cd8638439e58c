/** What paths find: nothing or values; how values compare, and how much looking for them may cost. */
import { FormError } from "./faults";

/** What a query without a node gives: RFC 9535's Nothing, which differs from null. */
export const NOTHING: unique symbol = Symbol("nothing");

/** Nodes that one evaluation may visit, where nothing else is said. */
export const STEPS = 100_000;

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number of JSON; whole ones beyond 2^53 are `bigint`. */
export function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** How many nodes may still be visited; and what paths from the root have found already. */
export class Budget {
  readonly #kept = new Map<object, { root: unknown; found: unknown }>();
  constructor(private left = STEPS) {}

  /** Throws FormError when nothing is left. */
  spend(steps = 1): void {
    this.left -= steps;
    if (this.left < 0) throw new FormError("evaluating takes too many steps; use narrower paths, or less data");
  }

  /** What `of` makes of `root`: evaluated once. */
  kept<T>(of: object, root: unknown, evaluate: () => T): T {
    const known = this.#kept.get(of);
    if (known && known.root === root) return known.found as T;
    const found = evaluate();
    this.#kept.set(of, { root, found });
    return found;
  }
}

export type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Two values, or Nothing, by RFC 9535, 2.3.5.2.2: equal in type and value; only texts and numbers have an order. */
export function compare(left: unknown, operator: Operator, right: unknown, budget?: Budget): boolean {
  switch (operator) {
    case "==":
      return same(left, right, budget);
    case "!=":
      return !same(left, right, budget);
    case "<":
      return less(left, right);
    case ">":
      return less(right, left);
    case "<=":
      return less(left, right) || same(left, right, budget);
    case ">=":
      return less(right, left) || same(left, right, budget);
  }
}

/** Whether two JSON values, or Nothing, are the same. What is inside is paid for. */
export function same(left: unknown, right: unknown, budget?: Budget): boolean {
  if (left === right) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals the number of the same value
  if (isNumber(left)) return isNumber(right) && left == right;
  if (Array.isArray(left)) return Array.isArray(right) && sameLists(left, right, budget);
  return isObject(left) && isObject(right) && sameObjects(left, right, budget);
}

function sameLists(left: readonly unknown[], right: readonly unknown[], budget: Budget | undefined): boolean {
  return left.length === right.length && left.every((each, index) => paidSame(each, right[index], budget));
}

function sameObjects(left: JsonObject, right: JsonObject, budget: Budget | undefined): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name)) &&
    names.every((name) => paidSame(left[name], right[name], budget))
  );
}

function paidSame(left: unknown, right: unknown, budget: Budget | undefined): boolean {
  budget?.spend();
  return same(left, right, budget);
}

function less(left: unknown, right: unknown): boolean {
  if (typeof left === "string") return typeof right === "string" && lessText(left, right);
  return isNumber(left) && isNumber(right) && left < right;
}

/** By code point; `<` of JavaScript goes by UTF-16, where what lies beyond U+FFFF comes before U+E000. */
function lessText(left: string, right: string): boolean {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const one = left.charCodeAt(index);
    const other = right.charCodeAt(index);
    if (one !== other) return beyondSurrogates(one) < beyondSurrogates(other);
  }
  return left.length < right.length;
}

function beyondSurrogates(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

export type Key = string | number;

/** The node that a singular query's keys find, or NOTHING. */
export function at(value: unknown, keys: readonly Key[]): unknown {
  let found = value;
  for (const key of keys) {
    found = typeof key === "string" ? member(found, key) : element(found, key);
    if (found === NOTHING) return NOTHING;
  }
  return found;
}

export function member(holder: unknown, name: string): unknown {
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : NOTHING;
}

export function element(holder: unknown, index: number): unknown {
  if (!Array.isArray(holder)) return NOTHING;
  const place = index < 0 ? holder.length + index : index;
  return place >= 0 && place < holder.length ? holder[place] : NOTHING;
}

/** As many as there are code points. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        index++;
      }
    }
  }
  return count;
}
