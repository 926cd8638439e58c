/** Where a field is in a value, and values changed at a place. */
import { pointer } from "#/forms";
import { isObject, type Key } from "#/forms/nodes";

/** In the place of a value: the member is left out. */
export const ABSENT: unique symbol = Symbol("absent");

export interface Place {
  readonly path: readonly Key[];
  /** The path as a JSON pointer. */
  readonly pointer: string;
}

export const ROOT: Place = { path: [], pointer: "" };

const kept = new WeakMap<Place, Map<Key, Place>>();

/** The same object for the same two, so that a field whose place did not change is not drawn again. */
export function inside(place: Place, step: Key): Place {
  const steps = kept.get(place) ?? new Map<Key, Place>();
  kept.set(place, steps);
  const known = steps.get(step);
  if (known) return known;
  const found = { path: [...place.path, step], pointer: place.pointer + pointer([step]) };
  steps.set(step, found);
  return found;
}

/** What is there, or ABSENT. */
export function valueAt(value: unknown, path: readonly Key[]): unknown {
  let found = value;
  for (const step of path) {
    if (Array.isArray(found) && typeof step === "number") found = step in found ? found[step] : ABSENT;
    else if (isObject(found) && Object.hasOwn(found, String(step))) found = found[String(step)];
    else return ABSENT;
  }
  return found;
}

/** `value` with `next` at `path`; objects and lists around it are made where there are none. What is not touched is shared. */
export function withValueAt(value: unknown, path: readonly Key[], next: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return next === ABSENT ? {} : next;
  if (typeof step === "number") {
    const list = Array.isArray(value) ? [...value] : [];
    const changed = rest.length > 0 ? withValueAt(list[step], rest, next) : next;
    if (changed === ABSENT) list.splice(step, 1);
    else list[step] = changed;
    return list;
  }
  const holder = isObject(value) ? value : {};
  const present = Object.hasOwn(holder, step);
  if (rest.length === 0 && next === ABSENT) {
    return present ? Object.fromEntries(Object.entries(holder).filter(([name]) => name !== step)) : holder;
  }
  const changed = rest.length > 0 ? withValueAt(present ? holder[step] : undefined, rest, next) : next;
  if (!present) return Object.fromEntries([...Object.entries(holder), [step, changed]]);
  return Object.fromEntries(Object.entries(holder).map(([name, each]) => [name, name === step ? changed : each]));
}
