/** Filter expressions of json-p3, compiled to functions: some microseconds each. */
import { jsonpath } from "json-p3";
import { FormError } from "./faults";
import { at, codePoints, compare, isObject, type Key, member, NOTHING, type Operator } from "./nodes";
import { matcher, type Search, searcher } from "./patterns";
import { type Context, compileQuery, singularKeys } from "./queries";

const {
  BooleanLiteral,
  FilterQuery,
  FunctionExtension,
  InfixExpression,
  LogicalExpression,
  NullLiteral,
  NumberLiteral,
  PrefixExpression,
  RelativeQuery,
  StringLiteral,
} = jsonpath.expressions;

type Expression = InstanceType<typeof jsonpath.expressions.FilterExpression>;
type Query = InstanceType<typeof FilterQuery>;
type Call = InstanceType<typeof FunctionExtension>;

type Value = (context: Context) => unknown;
export type Holds = (context: Context) => boolean;
/** What a path to one value, standing alone, says by what it finds. */
export type Truth = (value: unknown) => boolean;

/** `node` as something that holds or does not. Throws FormError for what does neither. */
export function test(node: Expression, truth: Truth): Holds {
  if (node instanceof LogicalExpression) return test(node.expression, truth);
  if (node instanceof InfixExpression) return node.logical ? joined(node, truth) : comparison(node);
  if (node instanceof PrefixExpression) {
    const negated = test(node.right, truth);
    return (context) => !negated(context);
  }
  if (node instanceof FilterQuery) return alone(node, truth);
  if (node instanceof FunctionExtension && isLogical(node)) {
    const called = call(node);
    return (context) => called(context) === true;
  }
  throw new FormError(`${node.toString()} is neither true nor false; compare it with something`);
}

function joined(node: InstanceType<typeof InfixExpression>, truth: Truth): Holds {
  const parts = operands(node, node.operator).map((operand) => test(operand, truth));
  return node.operator === "&&"
    ? (context) => parts.every((part) => part(context))
    : (context) => parts.some((part) => part(context));
}

/** A chain of one operator, flat: a long one is no deep recursion. */
function operands(node: Expression, operator: string): Expression[] {
  if (!(node instanceof InfixExpression) || node.operator !== operator) return [node];
  return [...operands(node.left, operator), ...operands(node.right, operator)];
}

function comparison(node: InstanceType<typeof InfixExpression>): Holds {
  const left = value(node.left);
  const right = value(node.right);
  const operator = node.operator as Operator;
  return (context) => compare(left(context), operator, right(context), context.budget);
}

function alone(node: Query, truth: Truth): Holds {
  if (singularKeys(node.path) === null) {
    const found = nodes(node);
    return (context) => found(context).length > 0;
  }
  const found = value(node);
  return (context) => truth(found(context));
}

/** As JavaScript has it, NOTHING included: empty lists and objects are true. */
export function isTrue(value: unknown): boolean {
  return value !== NOTHING && Boolean(value);
}

/** `node` as a value, or NOTHING. */
function value(node: Expression): Value {
  if (node instanceof NullLiteral) return () => null;
  if (node instanceof BooleanLiteral || node instanceof NumberLiteral || node instanceof StringLiteral) {
    const literal = node.value;
    return () => literal;
  }
  if (node instanceof FilterQuery) {
    const keys = singularKeys(node.path);
    if (keys === null) throw new FormError(`${node.toString()} may find several values; it cannot be compared`);
    return lookup(keys, node instanceof RelativeQuery);
  }
  if (node instanceof FunctionExtension) return call(node);
  throw new FormError(`${node.toString()} is no value that could be compared`);
}

function lookup(keys: readonly Key[], relative: boolean): Value {
  const [name] = keys;
  if (keys.length === 1 && typeof name === "string") {
    return relative ? (context) => member(context.current, name) : (context) => member(context.root, name);
  }
  return relative ? (context) => at(context.current, keys) : (context) => at(context.root, keys);
}

/** All that a query finds; once for a whole value, where it begins at `$`. */
function nodes(node: Query): (context: Context) => unknown[] {
  const query = compileQuery(node.path);
  if (node instanceof RelativeQuery) return (context) => query.find(context.current, context);
  return (context) => context.budget.kept(node, context.root, () => query.find(context.root, context));
}

function isLogical(node: Call): boolean {
  return node.name === "match" || node.name === "search";
}

/** RFC 9535, 2.4. */
function call(node: Call): Value {
  const [first, second] = node.args;
  if (first === undefined) throw new FormError(`${node.name}() lacks its argument`);
  switch (node.name) {
    case "length":
      return lengthOf(value(first));
    case "count":
      return count(argumentNodes(first));
    case "value":
      return only(argumentNodes(first));
    case "match":
      return matches(value(first), second, matcher);
    case "search":
      return matches(value(first), second, searcher);
    default:
      throw new FormError(`the function ${node.name}() is not known`);
  }
}

function argumentNodes(node: Expression): (context: Context) => unknown[] {
  if (node instanceof FilterQuery) return nodes(node);
  throw new FormError(`${node.toString()} is no path`);
}

function lengthOf(of: Value): Value {
  return (context) => {
    const found = of(context);
    if (typeof found === "string") return codePoints(found);
    if (Array.isArray(found)) return found.length;
    return isObject(found) ? Object.keys(found).length : NOTHING;
  };
}

function count(of: (context: Context) => unknown[]): Value {
  return (context) => of(context).length;
}

function only(of: (context: Context) => unknown[]): Value {
  return (context) => {
    const found = of(context);
    return found.length === 1 ? found[0] : NOTHING;
  };
}

/** False for what is no text, or no pattern. */
function matches(of: Value, pattern: Expression | undefined, compile: (pattern: string) => Search): Value {
  if (pattern === undefined) throw new FormError("a pattern is missing");
  const by = value(pattern);
  return (context) => {
    const text = of(context);
    const wanted = by(context);
    if (typeof text !== "string" || typeof wanted !== "string") return false;
    try {
      return compile(wanted)(text);
    } catch (error) {
      if (error instanceof FormError) return false;
      throw error;
    }
  };
}
