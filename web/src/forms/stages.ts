/**
 * In which order to decide what is shown, so that a hidden field is absent for every condition that looks at it.
 *
 * A condition that looks at a field, at something around it or inside it, waits for it. Fields that wait for one another
 * are a fault: there would be no one answer.
 */
import type { Message, Report } from "./faults";
import { type Field, type Place, type Template, templates } from "./plan";

/** The plan with every field's stage. A circle is reported, and its fields are left out of the order. */
export function staged(place: Place, report: Report): Place {
  const hidden = new Map<string, { template: Template; field: Field }>();
  for (const [template, field] of templates(place)) {
    if (field.show) hidden.set(key(template), { template, field });
  }
  let waits = new Map([...hidden].map(([at, { template, field }]) => [at, waitsFor(template, field, hidden)]));
  const stages = new Map<string, number>();
  for (let stage = 0; waits.size > 0; stage++) {
    const ready = new Set([...waits].filter(([, others]) => others.size === 0).map(([at]) => at));
    if (ready.size === 0) {
      reportCircle(waits, hidden, report);
      break;
    }
    for (const at of ready) stages.set(at, stage);
    const left = [...waits].filter(([at]) => !ready.has(at));
    waits = new Map(left.map(([at, others]) => [at, new Set([...others].filter((other) => !ready.has(other)))]));
  }
  return withStages(place, stages, []);
}

export function stageCount(place: Place): number {
  let count = 0;
  for (const [, field] of templates(place)) if (field.show) count = Math.max(count, field.stage + 1);
  return count;
}

function key(template: Template): string {
  return JSON.stringify(template);
}

function withStages(place: Place, stages: ReadonlyMap<string, number>, at: Template): Place {
  return {
    fields: place.fields.map((each) => ({
      ...each,
      stage: stages.get(key([...at, each.name])) ?? 0,
      place: each.place && withStages(each.place, stages, [...at, each.name]),
    })),
    element: place.element && withStages(place.element, stages, [...at, null]),
  };
}

type Hidden = ReadonlyMap<string, { template: Template; field: Field }>;

function waitsFor(template: Template, field: Field, hidden: Hidden): Set<string> {
  const around = template.slice(0, -1);
  const looksAt = (field.show?.looksAt ?? []).map(({ fromRoot, steps }) => (fromRoot ? steps : [...around, ...steps]));
  const found = new Set<string>();
  for (const [at, { template: other }] of hidden) {
    const holds = other.length < template.length && other.every((step, index) => step === template[index]);
    if (holds || looksAt.some((pattern) => overlap(pattern, other))) found.add(at);
  }
  return found;
}

/** Whether what the pattern finds may hold the field, be it, or be held by it. */
function overlap(pattern: Template, template: Template): boolean {
  const shorter = Math.min(pattern.length, template.length);
  for (let index = 0; index < shorter; index++) {
    const one = pattern[index];
    const other = template[index];
    if (one !== null && other !== null && one !== other) return false;
  }
  return true;
}

function reportCircle(waits: ReadonlyMap<string, Set<string>>, hidden: Hidden, report: Report): void {
  const [first] = waits.keys();
  const said = first === undefined ? [] : (hidden.get(first)?.field.said ?? []);
  const shown = (at: string) => (hidden.get(at)?.template ?? []).map((step) => step ?? "[]").join(".");
  report([...said, "show_if"], waiting(circle(waits).map(shown).join(" → ")));
}

/** Fields each of which waits for the next; every one of `waits` waits for another of them. */
function circle(waits: ReadonlyMap<string, Set<string>>): string[] {
  const way: string[] = [];
  let [at] = waits.keys();
  while (at !== undefined && !way.includes(at)) {
    way.push(at);
    at = [...(waits.get(at) ?? [])].sort()[0];
  }
  return at === undefined ? way : [...way.slice(way.indexOf(at)), at];
}

function waiting(fields: string): Message {
  return {
    en: `whether these fields are shown depends on one another, so there is no answer: ${fields}`,
    zh: `这些字段的显示互相依赖，无法得出结果：${fields}`,
  };
}
