import { CatchBoundary, type ErrorComponentProps } from "@tanstack/react-router";
import { type ComponentType, memo, useMemo } from "react";
import type { JsonObject } from "#/forms/nodes";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useField, useForm } from "./context";
import { DateField, DateTimeField, TimeField } from "./Dates";
import type { FieldProps } from "./Frame";
import { JsonField } from "./JsonField";
import { ListField } from "./Lists";
import { type Look, lookOf } from "./look";
import { ObjectField } from "./ObjectField";
import { OptionsField } from "./OptionsField";
import type { Place } from "./place";
import { ReadField } from "./ReadField";
import { BooleanField, ChoiceField, ConstantField, NumberField, TextField } from "./Scalars";
import { type Shape, shapeOf } from "./shape";
import { formTexts } from "./texts";
import { VariantsField } from "./VariantsField";

interface Props {
  readonly name: string;
  readonly place: Place;
  readonly schema: unknown;
  readonly spec: JsonObject;
  readonly required: boolean;
  /** Told by the head of a table or of an alternative: no name of its own. */
  readonly bare?: boolean;
  readonly label?: string;
}

/** Whatever stands at one place of a value. */
export const Field = memo(function Field({ name, place, schema, spec, required, bare = false, label }: Props) {
  const { root, readOnly, disabled } = useForm();
  const state = useField(place);
  const language = useLanguage();
  const shape = shapeOf(root, schema);
  const look = useMemo(() => {
    const found = lookOf(name, spec, shape, language);
    return label === undefined ? found : { ...found, label };
  }, [name, spec, shape, language, label]);
  if (state.hidden || look.widget === "hidden") return null;
  const field: FieldProps = {
    name,
    place,
    shape,
    look,
    spec,
    state,
    bare,
    required: required || state.required,
    disabled: disabled || state.disabled || look.readOnly,
  };
  const Control = readOnly ? ReadField : controlFor(shape, look);
  return (
    <CatchBoundary getResetKey={() => `${place.pointer} ${typeof state.value}`} errorComponent={Broken}>
      <Control {...field} />
    </CatchBoundary>
  );
});

function Broken({ error }: ErrorComponentProps) {
  const text = useTexts(formTexts);
  return (
    <div className="sf-field sf-error" role="alert">
      {text.brokenField}: {String(error).slice(0, 200)}. {text.brokenFieldHint}
    </div>
  );
}

const BY_WIDGET: Record<string, ComponentType<FieldProps>> = {
  date: DateField,
  "date-time": DateTimeField,
  time: TimeField,
};

function controlFor(shape: Shape, look: Look): ComponentType<FieldProps> {
  if (look.source && shape.kind !== "object" && shape.kind !== "list") return OptionsField;
  switch (shape.kind) {
    case "choice":
      return ChoiceField;
    case "text":
      if (look.choices.length > 0) return ChoiceField;
      return BY_WIDGET[String(shape.schema.format)] ?? BY_WIDGET[look.widget] ?? TextField;
    case "number":
    case "integer":
      return look.choices.length > 0 ? ChoiceField : NumberField;
    case "boolean":
      return BooleanField;
    case "constant":
      return ConstantField;
    case "object":
      return look.widget === "json" || look.widget === "code" ? JsonField : ObjectField;
    case "list":
      return look.widget === "json" || look.widget === "code" ? JsonField : ListField;
    case "variants":
      return VariantsField;
    default:
      return JsonField;
  }
}
