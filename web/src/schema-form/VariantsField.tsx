import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import { isObject, type JsonObject } from "#/forms/nodes";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useForm } from "./context";
import { Field } from "./Field";
import { type FieldProps, Frame } from "./Frame";
import { firstOf } from "./first";
import { shownConstant, words } from "./look";
import { ABSENT } from "./place";
import { isOfKind, membersOf, shapeOf, variantOf } from "./shape";
import { formTexts } from "./texts";

/** One of several shapes: by its mark where they have one, else by what is there, else the one that was chosen. */
export function VariantsField(field: FieldProps) {
  const { place, shape, spec, look, state, disabled, required } = field;
  const { root, store } = useForm();
  const text = useTexts(formTexts);
  const language = useLanguage();
  const { variants } = shape;
  const unset = state.value === ABSENT || state.value === null;
  const [chosen, setChosen] = useState<number | null>(null);
  const fitting = unset ? -1 : variantOf(root, variants, state.value);
  const held = chosen !== null && (unset || isOfKind(kindOf(root, variants[chosen]), state.value)) ? chosen : null;
  const index = Math.max(held ?? (fitting >= 0 ? fitting : widgetVariant(root, variants, look.widget)), 0);
  const labels = variants.map((variant, number) => variantLabel(root, variant) || named(variant, number));
  function named(variant: JsonObject, number: number): string {
    const { kind } = shapeOf(root, variant);
    const title = words(variant.title, language);
    const alike = variants.filter((other) => kindOf(root, other) === kind).length;
    return title || (alike === 1 ? text.kinds[kind] : text.variant(number + 1));
  }
  /** Of an object the choice comes first: it makes the marks that tell the alternatives apart. */
  const open = !unset || !["object", "list"].includes(kindOf(root, variants[index]));
  const choose = (next: number) => {
    setChosen(next);
    const begun = firstOf(root, variants[next], spec);
    const scalar = !isObject(begun) && !Array.isArray(begun);
    if (unset && scalar && !required) return;
    store.change(
      place,
      isObject(begun) ? { ...sharedWith(root, variants[next], state.value), ...begun } : scalar ? ABSENT : begun,
    );
  };
  return (
    <Frame field={field} wide={["object", "list", "any"].includes(kindOf(root, variants[index]))}>
      <div style={{ display: "grid", gap: 6, gridTemplateColumns: "minmax(0, 1fr)" }}>
        <NativeSelect
          size="xs"
          w="fit-content"
          aria-label={text.kindOf(look.label)}
          value={open ? String(index) : ""}
          disabled={disabled}
          onChange={(event) => choose(Number(event.currentTarget.value))}
          data={[
            ...(open ? [] : [{ value: "", label: required ? text.choose : text.notSet }]),
            ...labels.map((label, number) => ({ value: String(number), label })),
          ]}
        />
        {open && (
          <Field
            name={field.name}
            place={place}
            schema={variants[index]}
            spec={spec}
            required={required}
            bare
            label={look.label}
          />
        )}
      </div>
    </Frame>
  );
}

function kindOf(root: JsonObject, variant: JsonObject | undefined) {
  return shapeOf(root, variant).kind;
}

/** `widget: date-time` among alternatives means the one of that format. */
function widgetVariant(root: JsonObject, variants: readonly JsonObject[], widget: string): number {
  return widget ? variants.findIndex((variant) => shapeOf(root, variant).schema.format === widget) : 0;
}

/** By the constants of a variant: what tells it from the others. */
function variantLabel(root: JsonObject, variant: JsonObject): string {
  const { schema } = shapeOf(root, variant);
  if (typeof schema.title === "string") return schema.title;
  const marks = membersOf(schema).flatMap(([, member]) =>
    isObject(member) && "const" in member ? [shownConstant(member.const)] : [],
  );
  return marks.join(", ");
}

/** What of a value the variant that was chosen has too, except its marks. */
function sharedWith(root: JsonObject, variant: unknown, value: unknown): JsonObject {
  if (!isObject(value)) return {};
  const members = new Map(membersOf(shapeOf(root, variant).schema));
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => {
      const member = members.get(name);
      return members.has(name) && !(isObject(member) && "const" in member);
    }),
  );
}
