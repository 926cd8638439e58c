/** The directives of the template language that reckon, and the tests of its `where`. */
import { type Budget, same } from "./nodes";
import { contains, iso, number, written } from "./values";

type Given = number | null;

const seconds = (value: Given) => (value === null ? null : value * 1000);

export const OF_ONE: ReadonlyMap<string, (value: Given) => unknown> = new Map([
  ["number", written],
  ["msFromSec", (value: Given) => written(seconds(value))],
  ["isoFromMs", iso],
  ["isoFromSec", (value: Given) => iso(seconds(value))],
]);

export const OF_TWO: ReadonlyMap<string, (left: Given, right: Given) => Given> = new Map([
  ["mul", (left: Given, right: Given) => (left === null || right === null ? null : left * right)],
  ["div", (left: Given, right: Given) => (left !== null && right ? left / right : null)],
  ["add", (left: Given, right: Given) => (left ?? 0) + (right ?? 0)],
  ["sub", (left: Given, right: Given) => (left ?? 0) - (right ?? 0)],
]);

type Compare = (left: unknown, right: unknown, budget: Budget) => boolean;

const greater: Compare = (left, right) => {
  const one = number(left);
  const other = number(right);
  return one !== null && other !== null && one > other;
};

export const TESTS: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ["eq", same],
  ["ne", (left, right, budget) => !same(left, right, budget)],
  ["gt", greater],
  ["lt", (left, right, budget) => greater(right, left, budget)],
  ["contains", contains],
]);
