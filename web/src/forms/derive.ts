/**
 * Which fields are hidden, required and disabled for a value, and the schema that it must then fit.
 *
 * Decided stage by stage (`stages`): what one stage hides is absent for the next.
 */
import { CONDITION_STEPS, type Condition } from "./conditions";
import { FaultyForm, type FormFault, pointerSteps, type Report } from "./faults";
import { Budget, isObject, type JsonObject } from "./nodes";
import { type Field, narrowed, type Place, readPlan, templates } from "./plan";
import { inForce } from "./rewriting";
import { stageCount, staged } from "./stages";

/** What holds for one value, of the fields with conditions; each as a JSON pointer. */
export interface State {
  /** Without what is hidden; the very same value when nothing of it was. */
  readonly value: unknown;
  /** Whether it is there or not; what is inside a hidden field is not named again. */
  readonly hidden: readonly string[];
  readonly required: readonly string[];
  /** Required by a condition, or only while shown, and absent from an object that is there. */
  readonly missing: readonly string[];
  readonly disabled: readonly string[];
}

/** What a page needs to show a form for one value. */
export interface Derived {
  /** The schema in force: without what is hidden, with what is required now. */
  readonly schema: unknown;
  readonly hidden: readonly string[];
  readonly required: readonly string[];
  readonly disabled: readonly string[];
}

/** A form's conditions, ready to be asked. */
export class Conditions {
  readonly #stages: readonly Place[];
  readonly #demands: Place;

  private constructor(readonly place: Place) {
    this.#stages = Array.from({ length: stageCount(place) }, (_, stage) =>
      narrowed(place, (each) => each.show !== null && each.stage === stage),
    );
    this.#demands = narrowed(place, mayDemand);
  }

  /** null when nothing is conditional. Throws FaultyForm. */
  static read(schema: unknown, ui: JsonObject): Conditions | null {
    const faults: FormFault[] = [];
    const report: Report = (path, message) => faults.push({ path, message });
    const plan = readPlan(schema, ui, report);
    const place = plan && staged(plan, report);
    if (faults.length > 0) throw new FaultyForm(faults);
    return place && new Conditions(place);
  }

  /** Whether they hide or demand anything; what is disabled is a matter of the page. */
  get decide(): boolean {
    return this.#stages.length > 0 || [...templates(this.place)].some(([, each]) => each.require !== null);
  }

  /** Throws FormError when that would take too long to tell. */
  state(whole: unknown): State {
    const budget = new Budget(CONDITION_STEPS);
    const hidden = new Set<string>();
    let value = whole;
    for (const stage of this.#stages) {
      const newly: string[] = [];
      const visit = new Visit(value, budget, hidden, (each, around, at, holds) => {
        if (each.show === null || holds(each.show, around)) return true;
        newly.push(at);
        return false;
      });
      visit.go(stage, value, "", true);
      value = prune(value, newly);
      for (const at of newly) hidden.add(at);
    }
    return { value, hidden: [...hidden], ...this.#demanded(value, budget, hidden) };
  }

  #demanded(value: unknown, budget: Budget, hidden: ReadonlySet<string>) {
    const required: string[] = [];
    const missing: string[] = [];
    const disabled: string[] = [];
    const visit = new Visit(value, budget, hidden, (each, around, at, holds, there) => {
      const toldBySchema = each.required && each.show === null;
      if ((each.required && !toldBySchema) || (each.require !== null && holds(each.require, around))) {
        required.push(at);
        if (there && !toldBySchema && !Object.hasOwn(around, each.name)) missing.push(at);
      }
      if (each.disable !== null && holds(each.disable, around)) disabled.push(at);
      return true;
    });
    visit.go(this.#demands, value, "", true);
    return { required, missing, disabled };
  }
}

function mayDemand(each: Field): boolean {
  return each.require !== null || each.disable !== null || (each.show !== null && each.required);
}

/** The form of `schema` and `ui` for `data`. Throws FaultyForm for conditions that cannot be used. */
export function derive(schema: unknown, ui: JsonObject, data: unknown): Derived {
  const conditions = Conditions.read(schema, ui);
  if (!conditions) return { schema, hidden: [], required: [], disabled: [] };
  const { value, hidden, required, disabled } = conditions.state(data);
  const changed = isObject(schema)
    ? inForce(schema, conditions.place, value, new Set(hidden), new Set(required))
    : schema;
  return { schema: changed, hidden, required, disabled };
}

type Tree = Map<string, Tree | null>;

/** `value` without what is at `hidden` (JSON pointers); itself when nothing is there. What is changed is a copy. */
export function prune(value: unknown, hidden: Iterable<string>): unknown {
  const tree: Tree = new Map();
  for (const path of hidden) plant(tree, pointerSteps(path));
  return tree.size > 0 ? without(value, tree) : value;
}

function plant(tree: Tree, steps: readonly string[]): void {
  let holder = tree;
  for (const step of steps.slice(0, -1)) {
    const known = holder.get(step);
    if (known === null) return; // what is around it is hidden
    const inner: Tree = known ?? new Map();
    if (!known) holder.set(step, inner);
    holder = inner;
  }
  const last = steps.at(-1);
  if (last !== undefined) holder.set(last, null);
}

function without(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value)) return withoutInList(value, tree);
  if (!isObject(value)) return value;
  let copy: JsonObject | null = null;
  for (const [step, inner] of tree) {
    if (!Object.hasOwn(value, step)) continue;
    const kept = inner && without(value[step], inner);
    if (inner && kept === value[step]) continue;
    copy ??= { ...value };
    if (inner) copy[step] = kept;
    else delete copy[step];
  }
  return copy ?? value;
}

function withoutInList(value: readonly unknown[], tree: Tree): unknown {
  let copy: unknown[] | null = null;
  for (const [step, inner] of tree) {
    const index = Number(step);
    const kept = inner && without(value[index], inner);
    if (!inner || kept === value[index]) continue;
    copy ??= [...value];
    copy[index] = kept;
  }
  return copy ?? value;
}

type Holds = (condition: Condition, around: JsonObject) => boolean;
/** Takes note of a field; says whether what is inside it is looked at. */
type Note = (each: Field, around: JsonObject, at: string, holds: Holds, there: boolean) => boolean;

/** Goes through a value and every field that conditions speak of, except what is hidden. */
class Visit {
  constructor(
    private readonly root: unknown,
    private readonly budget: Budget,
    private readonly hidden: ReadonlySet<string>,
    private readonly note: Note,
  ) {}

  readonly #holds: Holds = (condition, around) => {
    this.budget.spend();
    return condition.holds(this.root, around, this.budget);
  };

  /** An object that is absent is gone through as if it were empty. */
  go(place: Place, value: unknown, path: string, there: boolean): void {
    if (isObject(value)) {
      for (const each of place.fields) this.#field(each, value, path, there);
    } else if (place.element && Array.isArray(value)) {
      for (const [index, element] of value.entries()) {
        if (!isObject(element)) this.budget.spend();
        this.go(place.element, element, `${path}/${index}`, true);
      }
    }
  }

  #field(each: Field, around: JsonObject, path: string, there: boolean): void {
    const at = path + each.step;
    if (this.hidden.has(at) || !this.note(each, around, at, this.#holds, there) || !each.place) return;
    const present = Object.hasOwn(around, each.name);
    this.go(each.place, present ? around[each.name] : {}, at, present);
  }
}
