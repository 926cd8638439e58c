import type { FunctionSheet } from "#/functions/functions";

type Json = Readonly<Record<string, unknown>>;

/** What the workbench reads of a description besides its form. */
export interface Manner {
  readonly isJob: boolean;
  readonly isQuery: boolean;
  /** Whether it can be tried out, and by which argument where it is one. */
  readonly dryRun: boolean;
  readonly dryRunParameter: string;
  /** The route of a call that names none. */
  readonly route: string;
  /** Where the hash key is taken from when none is given; "" nowhere. */
  readonly hashFrom: string;
  /** The function that undoes it, with its arguments as paths into these. */
  readonly inverse: { readonly functionId: string; readonly args: Json } | null;
}

export function mannerOf({ function: entry, descriptor }: FunctionSheet): Manner {
  const semantics = object(descriptor.semantics);
  const routing = object(descriptor.routing);
  const inverse = object(descriptor.inverse);
  return {
    isJob: entry.returns === "job",
    isQuery: entry.mode === "query",
    dryRun: Boolean(semantics.dry_run),
    dryRunParameter: text(semantics.dry_run),
    route: text(semantics.route),
    hashFrom: text(routing.hash_key) || text(routing.jsonpath),
    inverse: text(inverse.function) ? { functionId: text(inverse.function), args: object(inverse.arguments) } : null,
  };
}

const SECRET = /(password|passwd|secret|token|api_?key|credential)/i;
const DEEPEST = 12;

/** Whether a form asks for something that must not stand in an address or stay in a browser. */
export function asksSecrets(schema: unknown, ui: unknown): boolean {
  return hasSecretSchema(schema, 0) || hasSensitiveField(ui, 0);
}

function hasSecretSchema(schema: unknown, depth: number): boolean {
  const { writeOnly, format, properties, ...others } = object(schema);
  if (writeOnly === true || format === "password") return true;
  if (depth > DEEPEST) return true;
  const members = Object.entries(object(properties));
  if (members.some(([name, member]) => SECRET.test(name) || hasSecretSchema(member, depth + 1))) return true;
  return Object.values(others).some((each) => children(each).some((child) => hasSecretSchema(child, depth + 1)));
}

function hasSensitiveField(ui: unknown, depth: number): boolean {
  const found = object(ui);
  if (found.sensitive === true || found["ui:sensitive"] === true || found.widget === "password") return true;
  if (depth > DEEPEST) return true;
  return Object.values(found).some((each) => children(each).some((child) => hasSensitiveField(child, depth + 1)));
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.filter((each) => typeof each === "object" && each !== null);
  return typeof value === "object" && value !== null ? [value] : [];
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
