/** What the parts of a template do while a transform runs; every list, object and text that is made is counted. */
import { FormError } from "./faults";
import { at, Budget, NOTHING } from "./nodes";
import type { Query } from "./queries";
import { number, size, written } from "./values";

/** How much one transform may make: values, and the characters of texts and names. */
const OUTPUT = 4_000_000;

/** One use of a transform. */
export class Run {
  readonly budget = new Budget();
  #left = OUTPUT;
  readonly #sizes = new Map<object, number>();
  constructor(readonly root: unknown) {}

  /** `value`, counted as output. Throws FormError when it is too much. */
  made(value: unknown): unknown {
    if (typeof value === "object" && value !== null) {
      const known = this.#sizes.get(value) ?? size(value);
      this.#sizes.set(value, known);
      this.charge(known);
    } else {
      this.charge(typeof value === "string" ? 1 + value.length : 1);
    }
    return value;
  }

  charge(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) {
      throw new FormError("the transform makes too much of this answer; let it name less, or ask for less");
    }
  }
}

/** Takes the run and the item at hand; gives a value, or NOTHING. */
export type Node = (run: Run, item: unknown) => unknown;
export type Test = (run: Run, item: unknown) => boolean;
type Items = (run: Run, item: unknown) => readonly unknown[];

export const nothing: Node = () => NOTHING;
export const wholeItem: Node = (run, item) => run.made(item);
export const never: Test = () => false;

export function constant(value: unknown): Node {
  return (run) => {
    run.budget.spend();
    return run.made(value);
  };
}

/** What the path finds; where it may find several, a list. A single value is not counted: `counted` does that. */
export function followed(query: Query, fromRoot: boolean): Node {
  const start = (run: Run, item: unknown) => (fromRoot ? run.root : item);
  const { keys } = query;
  if (keys) {
    return (run, item) => {
      run.budget.spend();
      return at(start(run, item), keys);
    };
  }
  return (run, item) => {
    const current = start(run, item);
    return query.find(current, { root: current, current, budget: run.budget }).map((node) => run.made(node));
  };
}

export function counted(node: Node): Node {
  return (run, item) => {
    const found = node(run, item);
    return found === NOTHING ? found : run.made(found);
  };
}

export function listOf(nodes: readonly Node[]): Node {
  return (run, item) => {
    run.charge(1);
    return nodes.map((node) => orNull(node(run, item)));
  };
}

export function objectOf(nodes: readonly (readonly [string, Node])[]): Node {
  const names = nodes.reduce((total, [name]) => total + name.length, 1);
  return (run, item) => {
    run.charge(names);
    const made = nodes.map(([name, node]): [string, unknown] => [name, node(run, item)]);
    return Object.fromEntries(made.filter(([, value]) => value !== NOTHING));
  };
}

export function itemsOf(node: Node): Items {
  return (run, item) => {
    const found = node(run, item);
    return Array.isArray(found) ? found : [];
  };
}

export function mapped(items: Items, where: Test | null, each: Node): Node {
  return (run, item) => {
    const kept: unknown[] = [];
    for (const inner of items(run, item)) {
      run.budget.spend();
      if (where === null || where(run, inner)) kept.push(orNull(each(run, inner)));
    }
    return kept;
  };
}

export function total(items: Items, each: Node, average: boolean): Node {
  return (run, item) => {
    let added = 0;
    let count = 0;
    for (const inner of items(run, item)) {
      run.budget.spend();
      const value = number(each(run, inner));
      if (value === null) continue;
      added += value;
      count += 1;
    }
    return run.made(written(average && count > 0 ? added / count : added));
  };
}

export function ofOne(calculate: (value: number | null) => unknown, node: Node): Node {
  return (run, item) => run.made(calculate(number(node(run, item))));
}

function orNull(value: unknown): unknown {
  return value === NOTHING ? null : value;
}
