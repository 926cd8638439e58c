/**
 * What a form on screen knows: the value as it is being typed, what conditions make of it, and which faults are to be shown.
 * Fields ask it one by one, so that a letter typed draws one field again, not two hundred.
 */
import type { Form, ValueFault } from "#/forms";
import { FormError, pointerSteps } from "#/forms";
import { checked } from "./check";
import { ABSENT, type Place, valueAt, withValueAt } from "./place";

/** All that a field shows of itself. */
export interface FieldState {
  /** ABSENT where it is left out. */
  readonly value: unknown;
  readonly hidden: boolean;
  /** By a condition. */
  readonly required: boolean;
  readonly disabled: boolean;
  readonly faults: readonly ValueFault[];
}

const NONE: ReadonlySet<string> = new Set();
const NO_FAULTS: readonly ValueFault[] = [];
/** Checks that take longer wait until nobody types. */
const QUICK_MS = 8;
const PAUSE_MS = 250;

interface Flags {
  readonly hidden: ReadonlySet<string>;
  readonly required: ReadonlySet<string>;
  readonly disabled: ReadonlySet<string>;
}

export class FormStore {
  readonly #listeners = new Set<() => void>();
  readonly #states = new Map<string, FieldState>();
  #value: unknown = {};
  #form: Form | null = null;
  #flags: Flags = { hidden: NONE, required: NONE, disabled: NONE };
  #own = new Map<string, ValueFault[]>();
  #told = new Map<string, ValueFault[]>();
  readonly #left = new Set<string>();
  #everything = false;
  #slow = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why conditions cannot be told for this value. */
  problem: FormError | null = null;
  /** The field to show and focus; another object each time. */
  wanted: { readonly pointer: string } | null = null;
  onChange: (value: unknown) => void = () => undefined;

  get value(): unknown {
    return this.#value;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The same object as long as nothing about the field changed. */
  field({ pointer, path }: Place): FieldState {
    const now: FieldState = {
      value: valueAt(this.#value, path),
      hidden: this.#flags.hidden.has(pointer),
      required: this.#flags.required.has(pointer),
      disabled: this.#flags.disabled.has(pointer),
      faults: this.faultsAt(pointer),
    };
    const before = this.#states.get(pointer);
    if (before && alike(before, now)) return before;
    this.#states.set(pointer, now);
    return now;
  }

  faultsAt(pointer: string): readonly ValueFault[] {
    const told = this.#told.get(pointer);
    const own = this.#everything || this.#left.has(pointer) ? this.#own.get(pointer) : undefined;
    return told ?? own ?? NO_FAULTS;
  }

  /** Every fault that is shown, in the order of the check. */
  get faults(): readonly ValueFault[] {
    const places = new Set([...this.#told.keys(), ...this.#own.keys()]);
    return [...places].flatMap((pointer) => this.faultsAt(pointer));
  }

  /** Takes another form, or a value that was not typed here. */
  reset(form: Form | null, value: unknown): void {
    if (form === this.#form && value === this.#value) return;
    this.#form = form;
    this.#value = value;
    this.#decide();
    this.#check();
    this.#announce();
  }

  /** What the server said is wrong; shown until the field is changed. */
  tell(faults: readonly ValueFault[]): void {
    this.#told = byPlace(faults);
    this.#announce();
    const [first] = faults;
    if (first) this.want(first.path);
  }

  change(place: Place, next: unknown): void {
    if (next === ABSENT && valueAt(this.#value, place.path) === ABSENT) return;
    this.#value = withValueAt(this.#value, place.path, next);
    for (const pointer of this.#told.keys()) {
      if (pointer === place.pointer || pointer.startsWith(`${place.pointer}/`)) this.#told.delete(pointer);
    }
    this.#decide();
    this.#checkSoon();
    this.#announce();
    this.onChange(this.#value);
  }

  /** The field was left: from now on what is wrong with it is shown. */
  leave(place: Place): void {
    this.#left.add(place.pointer);
    this.#check();
    this.#announce();
  }

  /** Shows all that is wrong, and says what it is. */
  checkAll(): readonly ValueFault[] {
    this.#everything = true;
    this.#check();
    this.#announce();
    const [first] = this.faults;
    if (first) this.want(first.path);
    return this.faults;
  }

  /** Brings a field into view and focuses it. */
  want(pointer: string): void {
    this.wanted = { pointer };
    this.#announce();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #decide(): void {
    try {
      const { hidden, required, disabled } = this.#form?.state(this.#value) ?? {
        hidden: [],
        required: [],
        disabled: [],
      };
      this.#flags = { hidden: new Set(hidden), required: new Set(required), disabled: new Set(disabled) };
      this.problem = null;
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.problem = error;
    }
  }

  #checkSoon(): void {
    clearTimeout(this.#timer);
    if (!this.#slow) {
      this.#check();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#check();
      this.#announce();
    }, PAUSE_MS);
  }

  #check(): void {
    if (!this.#everything && this.#left.size === 0) return;
    const began = performance.now();
    this.#own = byPlace(checked(this.#form, this.#value).faults);
    this.#slow = performance.now() - began > QUICK_MS;
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }
}

function alike(one: FieldState, other: FieldState): boolean {
  return (
    one.value === other.value &&
    one.hidden === other.hidden &&
    one.required === other.required &&
    one.disabled === other.disabled &&
    one.faults.length === other.faults.length &&
    one.faults.every((fault, index) => {
      const same = other.faults[index];
      return fault === same || (fault.keyword === same?.keyword && fault.message.en === same.message.en);
    })
  );
}

function byPlace(faults: readonly ValueFault[]): Map<string, ValueFault[]> {
  const found = new Map<string, ValueFault[]>();
  for (const fault of faults) found.set(fault.path, [...(found.get(fault.path) ?? []), fault]);
  return found;
}

/** The field of the whole value that a fault is in. */
export function topField(pointer: string): string {
  return pointerSteps(pointer)[0] ?? "";
}
