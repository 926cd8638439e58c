/**
 * Queries of JSONPath (RFC 9535): json-p3 reads them, in the one environment that all share; what they find is looked for here,
 * since every node that is visited or filtered is paid from a `Budget`, and `$` in a filter within a filter stays the whole value.
 */
import { JSONPathEnvironment, JSONPathError, type JSONPathQuery, jsonpath, TokenKind } from "json-p3";
import { test } from "./expressions";
import { FormError } from "./faults";
import { type Budget, element, isObject, type Key, member, NOTHING } from "./nodes";

const QUERY_CHARACTERS = 2_000;
/** Brackets and parentheses that may be open at once. */
const NESTING = 32;
/** Operators inside one another; a chain of `&&` counts each. */
const DEPTH = 100;
const KEPT = 4_096;

const { NameSelector, IndexSelector, SliceSelector, WildcardSelector, FilterSelector } = jsonpath.selectors;
const { LogicalExpression, InfixExpression, PrefixExpression, FilterQuery, FunctionExtension } = jsonpath.expressions;

type Expression = InstanceType<typeof jsonpath.expressions.FilterExpression>;
type Selector = jsonpath.JSONPathSelector;

/** `strict`: nothing but RFC 9535, its five functions with it. */
const environment = new JSONPathEnvironment({ strict: true });

export interface Context {
  /** `$` */
  readonly root: unknown;
  /** `@` */
  readonly current: unknown;
  readonly budget: Budget;
}

type Select = (value: unknown, context: Context, found: unknown[]) => void;

interface Segment {
  readonly descends: boolean;
  readonly selectors: readonly Select[];
}

/** A compiled query; safe to share. */
export interface Query {
  /** The names and indices of a query that finds one node at most; null for any other. */
  readonly keys: readonly Key[] | null;
  readonly path: JSONPathQuery;
  /** The values it finds, from `start`. */
  find(start: unknown, context: Context): unknown[];
}

const kept = new Map<string, Query>();

/** An RFC 9535 query, bounded. Throws FormError, saying where it cannot be read. */
export function readQuery(text: string): Query {
  const known = kept.get(text);
  if (known) return known;
  const query = compileQuery(parse(text));
  if (kept.size >= KEPT) kept.clear();
  kept.set(text, query);
  return query;
}

/** Throws FormError; what it says is the reason alone. */
export function parse(text: string): JSONPathQuery {
  if (text.length > QUERY_CHARACTERS) throw new FormError(`it has more than ${QUERY_CHARACTERS} characters`);
  if (nesting(text) > NESTING) throw new FormError(`it has more than ${NESTING} brackets inside one another`);
  try {
    const path = environment.compile(withReadableNumbers(text));
    for (const filter of filtersOf(path)) checkDepth(filter.expression.expression);
    return path;
  } catch (error) {
    if (error instanceof JSONPathError || error instanceof RangeError) throw new FormError(error.message);
    throw error;
  }
}

const TOKEN = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** json-p3 refuses `0.5` and takes `-02`: the one is written as `5e-1` for it, the other refused. */
function withReadableNumbers(text: string): string {
  return text.replace(TOKEN, (token) => {
    if (/^-?0\d/.test(token)) throw new FormError(`${token} begins with a 0`);
    if (/^-?\d/.test(token) && !Number.isFinite(Number(token))) throw new FormError(`${token} is too large`);
    const found = /^(-?)0(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token);
    if (!found || token === "0" || token === "-0") return token;
    const [, sign, fraction = "", exponent = "0"] = found;
    const digits = fraction.replace(/^0+/, "");
    return digits ? `${sign}${digits}e${Number(exponent) - fraction.length}` : "0";
  });
}

function nesting(text: string): number {
  let depth = 0;
  let most = 0;
  for (const character of text) {
    if (character === "(" || character === "[") depth++;
    if (character === ")" || character === "]") depth--;
    most = Math.max(most, depth);
  }
  return most;
}

/** The path's own, not those inside them. */
export function filtersOf(path: JSONPathQuery): InstanceType<typeof FilterSelector>[] {
  return path.segments.flatMap((segment) => segment.selectors.filter((each) => each instanceof FilterSelector));
}

export function childrenOf(node: Expression): Expression[] {
  if (node instanceof LogicalExpression) return [node.expression];
  if (node instanceof InfixExpression) return [node.left, node.right];
  if (node instanceof PrefixExpression) return [node.right];
  if (node instanceof FilterQuery) return filtersOf(node.path).map((filter) => filter.expression);
  return node instanceof FunctionExtension ? node.args : [];
}

export function checkDepth(expression: Expression): void {
  let level = [expression];
  for (let depth = 0; depth < DEPTH; depth++) {
    level = level.flatMap(childrenOf);
    if (level.length === 0) return;
  }
  throw new FormError(`it has more than ${DEPTH} operators inside one another`);
}

/** Every expression in it, itself first. */
export function* walk(expression: Expression): Generator<Expression> {
  yield expression;
  for (const child of childrenOf(expression)) yield* walk(child);
}

export function compileQuery(path: JSONPathQuery): Query {
  const segments = path.segments.map(
    (segment): Segment => ({
      descends: segment.token.kind === TokenKind.DDOT,
      selectors: segment.selectors.map(selection),
    }),
  );
  return { keys: singularKeys(path), path, find: (start, context) => find(segments, start, context) };
}

export function singularKeys(path: JSONPathQuery): readonly Key[] | null {
  const keys: Key[] = [];
  for (const segment of path.segments) {
    const [selector] = segment.selectors;
    if (segment.token.kind === TokenKind.DDOT || segment.selectors.length !== 1) return null;
    if (selector instanceof NameSelector) keys.push(selector.name);
    else if (selector instanceof IndexSelector) keys.push(selector.index);
    else return null;
  }
  return keys;
}

function find(segments: readonly Segment[], start: unknown, context: Context): unknown[] {
  let nodes = [start];
  for (const { descends, selectors } of segments) {
    const found: unknown[] = [];
    const select = (node: unknown) => {
      for (const each of selectors) each(node, context, found);
    };
    for (const node of nodes) {
      if (descends) descend(node, context.budget, select);
      else select(node);
    }
    nodes = found;
  }
  return nodes;
}

/** Depth first, a value before what is inside it; what is no list or object is not gone to by itself. */
function descend(start: unknown, budget: Budget, visit: (node: unknown) => void): void {
  const waiting = [start];
  while (waiting.length > 0) {
    const node = waiting.pop();
    visit(node);
    const inside = Array.isArray(node) ? node : isObject(node) ? Object.values(node) : [];
    for (let index = inside.length - 1; index >= 0; index--) {
      const each: unknown = inside[index];
      if (typeof each === "object" && each !== null) {
        budget.spend();
        waiting.push(each);
      }
    }
  }
}

function selection(selector: Selector): Select {
  if (selector instanceof NameSelector) return one((value) => member(value, selector.name));
  if (selector instanceof IndexSelector) return one((value) => element(value, selector.index));
  if (selector instanceof WildcardSelector) return each(() => true);
  if (selector instanceof SliceSelector) return slice(selector.start, selector.stop, selector.step ?? 1);
  if (selector instanceof FilterSelector) return filter(selector.expression);
  throw new FormError(`${selector.toString()} is not known`);
}

function one(of: (value: unknown) => unknown): Select {
  return (value, { budget }, found) => {
    const node = of(value);
    if (node === NOTHING) return;
    budget.spend();
    found.push(node);
  };
}

function each(holds: (value: unknown, context: Context) => boolean): Select {
  return (value, context, found) => {
    const inside = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    for (const node of inside) {
      if (!holds(node, context)) continue;
      context.budget.spend();
      found.push(node);
    }
  };
}

function filter(expression: InstanceType<typeof LogicalExpression>): Select {
  const holds = test(expression, isThere);
  return each((current, { root, budget }) => {
    budget.spend();
    return holds({ root, current, budget });
  });
}

/** As RFC 9535 has it: whatever is found is. */
function isThere(value: unknown): boolean {
  return value !== NOTHING;
}

/** RFC 9535, 2.3.4.2.2. */
function slice(start: number | undefined, stop: number | undefined, step: number): Select {
  return (value, { budget }, found) => {
    if (!Array.isArray(value) || step === 0) return;
    const { length } = value;
    const normal = (index: number) => (index >= 0 ? index : length + index);
    const clamp = (index: number, low: number, high: number) => Math.min(Math.max(index, low), high);
    const take = (index: number) => {
      budget.spend();
      found.push(value[index]);
    };
    if (step > 0) {
      const upper = clamp(normal(stop ?? length), 0, length);
      for (let index = clamp(normal(start ?? 0), 0, length); index < upper; index += step) take(index);
    } else {
      const lower = clamp(stop === undefined ? -1 : normal(stop), -1, length - 1);
      for (let index = clamp(normal(start ?? length - 1), -1, length - 1); index > lower; index += step) take(index);
    }
  };
}
