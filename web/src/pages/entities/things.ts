import { isObject } from "#/forms/nodes";
import type { Entity, Operation } from "./queries";

type Json = Readonly<Record<string, unknown>>;

/** An operation with its verb. */
export interface Deed extends Operation {
  readonly verb: string;
}

/** Every operation, one for each function, in the order of the description. */
export function deedsOf(entity: Entity): Deed[] {
  const all = Object.entries(entity.operations).flatMap(([verb, found]) =>
    found.map((operation) => ({ ...operation, verb })),
  );
  return [...new Map(all.map((deed) => [deed.function_id, deed])).values()];
}

const LISTS = ["list", "search", "query", "find"];
const READS = ["read", "get", "show"];

/** The function that lists things of this type; the first that somebody offers. */
export function listOf(entity: Entity): Operation | undefined {
  return firstOf(entity, LISTS);
}

/** The function that answers with one thing. */
export function readOf(entity: Entity): Operation | undefined {
  return firstOf(entity, READS);
}

function firstOf(entity: Entity, verbs: readonly string[]): Operation | undefined {
  const found = verbs.flatMap((verb) => entity.operations[verb] ?? []);
  return found.find((operation) => operation.healthy > 0) ?? found[0];
}

/** What is done to one thing, and changes it. */
export function actsOnOne(entity: Entity): Deed[] {
  return deedsOf(entity).filter((deed) => deed.key !== "" && deed.mode !== "query");
}

/** What is about no one thing, and changes something: create, import. */
export function actsOnAll(entity: Entity): Deed[] {
  return deedsOf(entity).filter((deed) => deed.key === "" && deed.mode !== "query");
}

/** The steps of `player_id`, `$.player.id`, `$['player']['id']`, `$.ids[0]`. */
export function stepsOf(path: string): string[] {
  if (!path.startsWith("$")) return [path];
  return [...path.slice(1).matchAll(/\.([^.[\]]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(-?\d+))\s*\]/g)].map(
    ([, name, single, double, index]) => name ?? single ?? double ?? index ?? "",
  );
}

/** What lies at a path; undefined where there is nothing. */
export function at(value: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((found, step) => {
    if (Array.isArray(found)) return found[Number(step)];
    return isObject(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  }, value);
}

/** Arguments with the thing's id where `key` says, as a number where the schema asks for one. */
export function withId(payload: unknown, key: string, id: string, schema: unknown): unknown {
  const place = (value: unknown, steps: readonly string[], within: unknown): unknown => {
    const [step, ...rest] = steps;
    if (step === undefined) return isWhole(within) && /^-?\d{1,15}$/.test(id) ? Number(id) : id;
    if (/^\d+$/.test(step) && (Array.isArray(value) || memberOf(within, "items") !== undefined)) {
      const items: unknown[] = Array.isArray(value) ? [...value] : [];
      items[Number(step)] = place(items[Number(step)], rest, memberOf(within, "items"));
      return items;
    }
    const members = isObject(value) ? value : {};
    return { ...members, [step]: place(members[step], rest, memberOf(memberOf(within, "properties"), step)) };
  };
  return place(payload, stepsOf(key), schema);
}

function memberOf(of: unknown, name: string): unknown {
  return isObject(of) && Object.hasOwn(of, name) ? of[name] : undefined;
}

function isWhole(schema: unknown): boolean {
  const type = memberOf(schema, "type");
  return type === "integer" || type === "number";
}

/** The rows in a list's answer: where the entity says, else the answer itself, else its first list of objects. */
export function itemsOf(value: unknown, entity: Entity): Json[] {
  const path = textAt(entity.ui, "pagination", "items");
  const told = path ? at(value, path) : undefined;
  const found = [told, value, ...(isObject(value) ? Object.values(value) : [])].find(
    (each) => Array.isArray(each) && each.every(isObject),
  );
  return Array.isArray(found) ? found : [];
}

export function textAt(of: unknown, ...path: readonly string[]): string {
  const found = path.reduce<unknown>((value, name) => memberOf(value, name), of);
  return typeof found === "string" ? found : "";
}

/** A thing's id; "" where the row has none. */
export function idOf(row: Json, entity: Entity): string {
  const found = [entity.key, `${entity.type}_id`, "id"].filter(Boolean).map((path) => at(row, path));
  const id = found.find((each) => typeof each === "string" || typeof each === "number" || typeof each === "bigint");
  return id === undefined ? "" : String(id);
}

/** Whether a function can be asked with nothing but the thing's id. */
export function needsOnly(schema: unknown, key: string): boolean {
  const required = memberOf(schema, "required");
  const first = stepsOf(key)[0];
  return !Array.isArray(required) || required.every((name) => name === first);
}
