/**
 * Conditions (`show_if`, `required_if`, `disabled_if`): RFC 9535 logical expressions over a form's value.
 *
 * `$` is the whole value, `@` the object that holds the field (for a field of the whole value, both are the same).
 * A path to one value, standing alone, holds when that value is true in the sense of JavaScript: not absent, null, false, 0
 * or ''. A path that may find several holds when it finds any. Inside the filters of a path the RFC's own meaning stays.
 */
import { type JSONPathQuery, jsonpath, TokenKind } from "json-p3";
import { type Holds, isTrue, test } from "./expressions";
import { FormError } from "./faults";
import { Budget } from "./nodes";
import { checkDepth, parse, walk } from "./queries";
import { canonical } from "./spelling";

const CONDITION_CHARACTERS = 1_000;
/** Nodes that the conditions of one form may visit together. */
export const CONDITION_STEPS = 10_000;
const KEPT = 4_096;

const { FilterSelector, NameSelector } = jsonpath.selectors;
const { FilterQuery, RootQuery } = jsonpath.expressions;

type Expression = InstanceType<typeof jsonpath.expressions.FilterExpression>;

/** What a path may look at. */
export interface LookedAt {
  readonly fromRoot: boolean;
  /** Names, and null for anything; a path that goes down anywhere ends where it does so. */
  readonly steps: readonly (string | null)[];
}

const kept = new Map<string, Condition | FormError>();

/** A compiled condition; `Condition.read` makes one. */
export class Condition {
  private constructor(
    readonly text: string,
    readonly looksAt: readonly LookedAt[],
    private readonly test: Holds,
  ) {}

  /** Throws FormError, saying where `text` cannot be read. */
  static read(text: unknown): Condition {
    if (typeof text !== "string") throw new FormError("a condition is a text such as \"$.kind == 'x'\"");
    let known = kept.get(text);
    if (known === undefined) {
      known = Condition.#read(text);
      if (kept.size >= KEPT) kept.clear();
      kept.set(text, known);
    }
    if (known instanceof FormError) throw known;
    return known;
  }

  static #read(text: string): Condition | FormError {
    try {
      if (text.length > CONDITION_CHARACTERS)
        throw new FormError(`it has more than ${CONDITION_CHARACTERS} characters`);
      const expression = expressionOf(text);
      checkDepth(expression);
      return new Condition(text, [...lookedAt(expression)], test(expression, isTrue));
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      const advice = "write comparisons such as $.a == 'x', joined by && and ||";
      return new FormError(`the condition '${text.slice(0, 200)}' cannot be read: ${error.message}; ${advice}`);
    }
  }

  /** Whether it is true of the value `root`, for a field of the object `around`. Throws FormError when that takes too long. */
  holds(root: unknown, around: unknown = root, budget: Budget = new Budget(CONDITION_STEPS)): boolean {
    return this.test({ root, current: around, budget });
  }
}

/** What a filter of exactly one selector holds: `true] || $[?true` is refused, as it would close the filter. */
function expressionOf(text: string): Expression {
  const path = parse(`$[?${canonical(text)}]`);
  const [segment, ...more] = path.segments;
  if (!segment || more.length > 0 || segment.selectors.length !== 1)
    throw new FormError("it is more than one expression");
  const [selector] = segment.selectors;
  if (!(selector instanceof FilterSelector)) throw new FormError("it is no expression");
  return selector.expression.expression;
}

function* lookedAt(expression: Expression): Generator<LookedAt> {
  for (const node of walk(expression)) {
    if (node instanceof FilterQuery) yield { fromRoot: node instanceof RootQuery, steps: stepsOf(node.path) };
  }
}

function stepsOf(path: JSONPathQuery): (string | null)[] {
  const steps: (string | null)[] = [];
  for (const segment of path.segments) {
    if (segment.token.kind === TokenKind.DDOT) break;
    const [only, ...more] = segment.selectors;
    steps.push(only instanceof NameSelector && more.length === 0 ? only.name : null);
  }
  return steps;
}
