/**
 * JSON templates, compiled: each part becomes a function of the run and of the item at hand.
 *
 * A text that begins with `$.` or `$[` is a path from the item, one with `$$.` or `$$[` from the whole value; other texts stand
 * for themselves. An object with the name of a directive alone is that directive; any other is made member by member, and
 * members of which nothing becomes are left out.
 */
import { FormError, type FormFault, type Message, type SpecPath } from "./faults";
import * as making from "./making";
import { isObject, type JsonObject } from "./nodes";
import { searcher } from "./patterns";
import { readQuery } from "./queries";
import { OF_ONE, OF_TWO, TESTS } from "./reckoning";
import { canonical } from "./spelling";
import { text as asText, fixed, MOST_DIGITS, number, written } from "./values";

const TEMPLATE_PARTS = 5_000;
const TEMPLATE_DEPTH = 32;

const OVER_LISTS = new Set(["forEach", "map", "pluck", "sum", "avg"]);

type Node = making.Node;
type Test = making.Test;

/** Compiles templates, and gathers what is wrong with them. */
export class Reading {
  readonly faults: FormFault[] = [];
  #parts = 0;

  fault(path: SpecPath, message: Message): Node {
    this.faults.push({ path, message });
    return making.nothing;
  }

  node(template: unknown, path: SpecPath, depth: number): Node {
    this.#parts += 1;
    if (this.#parts === TEMPLATE_PARTS + 1) return this.fault(path, TOO_MANY);
    if (depth > TEMPLATE_DEPTH) return this.fault(path, TOO_DEEP);
    if (typeof template === "string") {
      return isPath(template) ? making.counted(this.path(template, path)) : making.constant(template);
    }
    if (Array.isArray(template)) {
      return making.listOf(template.map((each, index) => this.node(each, [...path, index], depth + 1)));
    }
    if (isObject(template)) return this.#directive(template, path, depth) ?? this.#object(template, path, depth);
    return making.constant(template);
  }

  /** `$…` from the item, `$$…` from the whole value; `a.b` is `$.a.b`. */
  path(given: unknown, path: SpecPath): Node {
    if (typeof given !== "string") return this.fault(path, NO_PATH);
    let text = given.trim();
    const fromRoot = text.startsWith("$$");
    if (fromRoot) text = text.slice(1);
    if (!text.startsWith("$")) text = `$.${text}`;
    try {
      return making.followed(readQuery(canonical(text === "$." ? "$" : text)), fromRoot);
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      const en = `JSONPath '${text.slice(0, 200)}' cannot be read: ${error.message}`;
      return this.fault(path, { en, zh: "无法读取的路径：请写成 $.a.b[0]（RFC 9535）" });
    }
  }

  #object(template: JsonObject, path: SpecPath, depth: number): Node {
    return making.objectOf(
      Object.entries(template).map(([name, each]) => [name, this.node(each, [...path, name], depth + 1)] as const),
    );
  }

  #directive(template: JsonObject, path: SpecPath, depth: number): Node | null {
    const entries = Object.entries(template);
    for (const [name, spec] of entries) {
      if (!OVER_LISTS.has(name) || !isObject(spec) || !Object.hasOwn(spec, "path")) continue;
      return entries.length > 1 ? this.fault(path, ALONE) : this.#overList(name, spec, [...path, name], depth + 1);
    }
    const [only, ...more] = entries;
    if (!only || more.length > 0) return null;
    const [name, argument] = only;
    const ofOne = OF_ONE.get(name);
    if (ofOne) return making.ofOne(ofOne, this.node(argument, [...path, name], depth + 1));
    if (OF_TWO.has(name)) return this.#ofTwo(name, argument, [...path, name], depth + 1);
    return name === "toFixed" ? this.#fixed(argument, [...path, name], depth + 1) : null;
  }

  #overList(name: string, spec: JsonObject, path: SpecPath, depth: number): Node {
    const reckons = name === "pluck" || name === "sum" || name === "avg";
    const allowed = reckons ? ["path", "value"] : ["path", "where", "template"];
    for (const key of Object.keys(spec).filter((key) => !allowed.includes(key)))
      this.fault([...path, key], UNKNOWN_KEY);
    const items = making.itemsOf(this.path(spec.path, [...path, "path"]));
    const key = reckons ? "value" : "template";
    const each = Object.hasOwn(spec, key) ? this.node(spec[key], [...path, key], depth + 1) : making.wholeItem;
    if (name === "sum" || name === "avg") return making.total(items, each, name === "avg");
    const { where } = spec;
    const kept = where === undefined || where === null ? null : this.#where(where, [...path, "where"], depth + 1);
    return making.mapped(items, kept, each);
  }

  #where(spec: unknown, path: SpecPath, depth: number): Test | null {
    if (!isObject(spec) || Object.keys(spec).length === 0) {
      this.fault(path, NO_WHERE);
      return null;
    }
    const tests = Object.entries(spec).map(([name, sides]) => this.#test(name, sides, [...path, name], depth + 1));
    return (run, item) => tests.every((test) => test(run, item));
  }

  #test(name: string, sides: unknown, path: SpecPath, depth: number): Test {
    const holds = TESTS.get(name);
    if (!Array.isArray(sides) || sides.length !== 2 || (!holds && name !== "match")) {
      this.fault(path, NO_WHERE);
      return making.never;
    }
    const left = this.node(sides[0], [...path, 0], depth);
    if (!holds) return this.#match(left, sides[1], [...path, 1]);
    const right = this.node(sides[1], [...path, 1], depth);
    return (run, item) => holds(left(run, item), right(run, item), run.budget);
  }

  #match(left: Node, pattern: unknown, path: SpecPath): Test {
    if (typeof pattern !== "string") {
      this.fault(path, NO_PATTERN);
      return making.never;
    }
    try {
      const found = searcher(pattern);
      return (run, item) => {
        const text = asText(left(run, item));
        return text !== null && found(text);
      };
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.fault(path, { en: error.message, zh: "无法读取的正则表达式" });
      return making.never;
    }
  }

  #ofTwo(name: string, argument: unknown, path: SpecPath, depth: number): Node {
    const sides = twoOf(argument);
    const calculate = OF_TWO.get(name);
    if (!sides || !calculate) return this.fault(path, NO_TWO);
    const [[leftKey, leftSide], [rightKey, rightSide]] = sides;
    const left = this.node(leftSide, [...path, leftKey], depth);
    const right = this.node(rightSide, [...path, rightKey], depth);
    return (run, item) => run.made(written(calculate(number(left(run, item)), number(right(run, item)))));
  }

  #fixed(argument: unknown, path: SpecPath, depth: number): Node {
    const [value, digits] = valueAndDigits(argument);
    if (typeof digits !== "number" || !Number.isInteger(digits) || digits < 0 || digits > MOST_DIGITS) {
      return this.fault(path, NO_DIGITS);
    }
    const node = this.node(value, path, depth);
    return (run, item) => run.made(fixed(number(node(run, item)), digits));
  }
}

function isPath(text: string): boolean {
  return ["$.", "$[", "$$.", "$$["].some((begin) => text.startsWith(begin));
}

type Side = readonly [string | number, unknown];

/** `[x, y]`, `{value, by}` and `{a, b}` alike. */
function twoOf(argument: unknown): readonly [Side, Side] | null {
  if (Array.isArray(argument)) {
    return argument.length === 2 ? [[0, argument[0]], [1, argument[1]]] : null; // biome-ignore format: a pair
  }
  if (!isObject(argument) || Object.keys(argument).length !== 2) return null;
  for (const [one, other] of [
    ["value", "by"],
    ["a", "b"],
  ] as const) {
    // biome-ignore format: pairs
    if (Object.hasOwn(argument, one) && Object.hasOwn(argument, other)) {
      return [[one, argument[one]], [other, argument[other]]]; // biome-ignore format: a pair
    }
  }
  return null;
}

function valueAndDigits(argument: unknown): [unknown, unknown] {
  if (Array.isArray(argument) && argument.length === 2) return [argument[0], argument[1]];
  if (isObject(argument) && Object.hasOwn(argument, "value")) {
    if (Object.keys(argument).every((name) => name === "value" || name === "digits")) {
      return [argument.value, Object.hasOwn(argument, "digits") ? argument.digits : 0];
    }
  }
  return [null, null];
}

const TOO_MANY: Message = {
  en: `a template has at most ${TEMPLATE_PARTS} parts`,
  zh: `模板最多 ${TEMPLATE_PARTS} 个部分`,
};
const TOO_DEEP: Message = {
  en: `a template is at most ${TEMPLATE_DEPTH} levels deep`,
  zh: `模板嵌套最多 ${TEMPLATE_DEPTH} 层`,
};
const NO_PATH: Message = { en: "a path is a text such as $.data.items", zh: "路径须为文本，如 $.data.items" };
const ALONE: Message = {
  en: "forEach, map, pluck, sum and avg stand alone in their object",
  zh: "forEach、map、pluck、sum、avg 须单独成对象",
};
const UNKNOWN_KEY: Message = { en: "is not known here", zh: "此处不认识的字段" };
const NO_WHERE: Message = {
  en: "where is an object such as {eq: ['$.state', 'up']}, with eq, ne, gt, lt, contains or match",
  zh: "where 须为 {eq: ['$.state', 'up']} 这样的对象，可用 eq、ne、gt、lt、contains、match",
};
const NO_PATTERN: Message = {
  en: "write the pattern as a text, such as '^prod-'",
  zh: "正则表达式须写成文本，如 '^prod-'",
};
const NO_TWO: Message = {
  en: "write {value, by}, {a, b} or a list of two",
  zh: "请写成 {value, by}、{a, b} 或两项的列表",
};
const NO_DIGITS: Message = {
  en: `write {value, digits} with digits from 0 to ${MOST_DIGITS}`,
  zh: `请写成 {value, digits}，digits 为 0 到 ${MOST_DIGITS}`,
};
