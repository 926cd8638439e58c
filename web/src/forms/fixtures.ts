/** The shared fixtures of `conformance/`, for tests. Their format is told in conformance/README.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const CONFORMANCE = join(import.meta.dirname, "../../../conformance");

export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(CONFORMANCE, `${name}.json`), "utf8")) as T;
}

/** Members in one order, and 1.0 as 1: what JSON leaves open. */
export function sameJson(one: unknown, other: unknown): boolean {
  return ordered(one) === ordered(other);
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
