import { Button, Input } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useState } from "react";
import { isObject, type JsonObject } from "#/forms/nodes";
import { useTexts } from "#/i18n/texts";
import { useForm } from "./context";
import { Field } from "./Field";
import { Action } from "./Frame";
import { firstOf } from "./first";
import { elementSpec } from "./look";
import { ABSENT, inside, type Place } from "./place";
import { formTexts } from "./texts";

interface Props {
  readonly schema: JsonObject;
  readonly spec: JsonObject;
  readonly place: Place;
  readonly value: unknown;
  /** Members that the schema names. */
  readonly known: readonly string[];
}

/** Members of any name, where the schema lets there be any; also those that are there and should not be. */
export function MapFields({ schema, spec, place, value, known }: Props) {
  const { readOnly } = useForm();
  const names = isObject(value) ? Object.keys(value).filter((name) => !known.includes(name)) : [];
  const { additionalProperties, patternProperties } = schema;
  const open =
    isObject(additionalProperties) ||
    isObject(patternProperties) ||
    (known.length === 0 && additionalProperties !== false);
  if (names.length === 0 && (!open || readOnly)) return null;
  return (
    <div style={{ display: "grid", gap: 6, marginTop: known.length > 0 ? 8 : 0 }}>
      {names.map((name, index) => (
        <Entry
          // biome-ignore lint/suspicious/noArrayIndexKey: a name that is being typed stays in its row
          key={index}
          name={name}
          names={names}
          schema={memberSchema(schema, name)}
          spec={elementSpec(spec)}
          place={place}
        />
      ))}
      {open && !readOnly && <AddEntry schema={schema} spec={spec} place={place} names={[...names, ...known]} />}
    </div>
  );
}

function memberSchema(schema: JsonObject, name: string): unknown {
  const patterns = isObject(schema.patternProperties) ? Object.entries(schema.patternProperties) : [];
  const found = patterns.find(([pattern]) => matches(pattern, name));
  return found ? found[1] : schema.additionalProperties;
}

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, "u").test(name);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

interface EntryProps {
  readonly name: string;
  readonly names: readonly string[];
  readonly schema: unknown;
  readonly spec: JsonObject;
  readonly place: Place;
}

function Entry({ name, names, schema, spec, place }: EntryProps) {
  const { store, readOnly, disabled } = useForm();
  const text = useTexts(formTexts);
  const [draft, setDraft] = useState<string | null>(null);
  const taken = draft !== null && draft !== name && names.includes(draft);
  const rename = () => {
    const now = currentOf(store.value, place);
    if (draft !== null && draft !== name && !taken && draft !== "") {
      store.change(
        place,
        Object.fromEntries(Object.entries(now).map(([key, each]) => [key === name ? draft : key, each])),
      );
    }
    setDraft(null);
  };
  return (
    <div className="sf-pair">
      <div>
        <Input
          size="xs"
          aria-label={text.fieldName}
          value={draft ?? name}
          readOnly={readOnly}
          disabled={disabled}
          error={taken}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onBlur={rename}
        />
        {taken && <div className="sf-error">{text.nameTaken}</div>}
      </div>
      <Field name={name} place={inside(place, name)} schema={schema} spec={spec} required bare label={name} />
      {!readOnly && (
        <Action label={text.removeField(name)} onClick={() => store.change(inside(place, name), ABSENT)}>
          <IconX size={12} />
        </Action>
      )}
    </div>
  );
}

function currentOf(value: unknown, place: Place): JsonObject {
  let found = value;
  for (const step of place.path)
    found = isObject(found) || Array.isArray(found) ? (found as JsonObject)[step] : undefined;
  return isObject(found) ? found : {};
}

function AddEntry({ schema, spec, place, names }: Omit<Props, "value" | "known"> & { names: readonly string[] }) {
  const { store, root, disabled } = useForm();
  const text = useTexts(formTexts);
  const [name, setName] = useState("");
  const taken = names.includes(name);
  const add = () => {
    if (!name || taken) return;
    store.change(inside(place, name), firstOf(root, memberSchema(schema, name), elementSpec(spec)));
    setName("");
  };
  return (
    <div style={{ display: "flex", gap: 6 }}>
      <Input
        size="xs"
        aria-label={text.fieldName}
        placeholder={text.fieldName}
        value={name}
        error={taken}
        disabled={disabled}
        onChange={(event) => setName(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add();
        }}
      />
      <Button variant="default" onClick={add} disabled={disabled || !name || taken}>
        {text.addField}
      </Button>
    </div>
  );
}
