import { csvCell } from "#/components/table/csv";

export interface FileColumn {
  readonly name: string;
  readonly required: boolean;
  readonly type: string;
}

type Schema = Readonly<Record<string, unknown>>;

const DEEPEST = 4;
const MOST = 200;

/** The columns a CSV file of a function may have: its arguments, fields of objects by `item.id` (docs/reference/bulk.md). */
export function columnsOf(schema: unknown): readonly FileColumn[] {
  return isSchema(schema) ? fieldsOf(schema, "", true, 0).slice(0, MOST) : [];
}

function fieldsOf(schema: Schema, begin: string, required: boolean, depth: number): readonly FileColumn[] {
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const needed = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(properties).flatMap(([name, field]) => {
    const must = required && needed.has(name);
    const nested = isSchema(field) && isSchema(field.properties) && depth < DEEPEST;
    return nested
      ? fieldsOf(field as Schema, `${begin}${name}.`, must, depth + 1)
      : [{ name: `${begin}${name}`, required: must, type: typeOf(field) }];
  });
}

function typeOf(field: unknown): string {
  if (!isSchema(field)) return "";
  if (Array.isArray(field.enum)) return field.enum.slice(0, 6).map(String).join(" | ");
  return [field.type ?? ""].flat().map(String).join(" | ");
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An empty file with the right header. */
export function template(columns: readonly FileColumn[]): string {
  return `\uFEFF${columns.map(({ name }) => csvCell(name)).join(",")}\r\n`;
}
