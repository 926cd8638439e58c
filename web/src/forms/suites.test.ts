import { describe, expect, test } from "vitest";
import { FormError } from "./faults";
import { fixture, sameJson } from "./fixtures";
import { Budget, type JsonObject } from "./nodes";
import { readQuery } from "./queries";
import { Validation } from "./validation";

interface PathTest {
  readonly name: string;
  readonly selector: string;
  readonly document?: unknown;
  readonly result?: unknown[];
  readonly results?: unknown[][];
  readonly invalid_selector?: boolean;
}

const paths = fixture<{ tests: PathTest[] }>("suites/jsonpath").tests;

test("the JSONPath suite is whole", () => {
  expect(paths).toHaveLength(687);
});

describe("a query of the suite finds what RFC 9535 says", () => {
  test.each(paths.map((each) => [each.name, each] as const))("%s", (_, each) => {
    if (each.invalid_selector) {
      expect(() => readQuery(each.selector)).toThrow(FormError);
      return;
    }
    const root = each.document;
    const found = readQuery(each.selector).find(root, { root, current: root, budget: new Budget() });
    const allowed = each.results ?? [each.result];
    expect(allowed.some((result) => sameJson(found, result))).toBe(true);
  });
});

interface SchemaGroup {
  readonly file: string;
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { description: string; data: unknown; valid: boolean }[];
}

const REFUSED_BY_THE_SERVER = [
  /^refRemote: /,
  /^ref: remote ref, containing refs itself/,
  /\$ref to \$(dynamicR|r)ef finds detached/,
  /^defs: validate definition against metaschema/,
  /^optional\/cross-draft/,
];

const OTHERWISE = [
  // Left to the server: it takes tables of Unicode that no page should carry.
  /^optional\/format\/idn-hostname/,
  /^format: idn-hostname format/,
  // Checked in part.
  /^format: iri format/,
  /^optional\/format\/iri: .*based on IPv6/,
  // The library finds no schemas under keywords that it does not know, and takes an $id in one for real.
  /^optional\/refOfUnknownKeyword: reference internals of known non-applicator/,
  /^optional\/unknownKeyword: \$id inside an unknown keyword/,
  // Where an $id and an $anchor in one place share a name, the library takes the anchor.
  /^ref: order of evaluation: \$id and \$anchor and \$ref/,
  // A vocabulary of the writer's own is not heeded, here as on the server.
  /^vocabulary: schema that uses custom metaschema/,
];

const groups = fixture<{ tests: SchemaGroup[] }>("suites/json-schema-2020-12").tests.filter(
  ({ file, description, schema }) =>
    !JSON.stringify(schema).includes('"$dynamic') &&
    !REFUSED_BY_THE_SERVER.some((name) => name.test(`${file}: ${description}`)),
);

test("values fit as JSON Schema 2020-12 says, with these exceptions", () => {
  const different: string[] = [];
  for (const { file, description, schema, tests } of groups) {
    for (const { description: told, data, valid } of tests) {
      const name = `${file}: ${description}: ${told}`;
      const asserted = file === "format" && told.endsWith("is only an annotation by default");
      const found = fits(schema, data);
      if (found !== (asserted ? !valid : valid) && !OTHERWISE.some((each) => each.test(name))) different.push(name);
    }
  }
  expect(groups.length).toBeGreaterThan(300);
  expect(different).toEqual([]);
});

function fits(schema: unknown, data: unknown): boolean | null {
  try {
    return new Validation((typeof schema === "boolean" ? { allOf: [schema] } : schema) as JsonObject).isValid(data);
  } catch (error) {
    if (error instanceof FormError) return null;
    throw error;
  }
}
