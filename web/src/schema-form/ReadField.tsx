import { toJson } from "#/forms/exactJson";
import { isObject, same } from "#/forms/nodes";
import { useTexts } from "#/i18n/texts";
import { useForm } from "./context";
import { Faults, type FieldProps } from "./Frame";
import { ListField } from "./Lists";
import { shownConstant } from "./look";
import { ObjectField } from "./ObjectField";
import { ABSENT } from "./place";
import { membersOf, shapeOf, variantOf } from "./shape";
import { formTexts } from "./texts";

/** A field that can only be read: for approvals, and for calls that were. */
export function ReadField(field: FieldProps) {
  const { root } = useForm();
  const { shape, state, look, bare } = field;
  const chosen = shape.kind === "variants" ? shape.variants[variantOf(root, shape.variants, state.value)] : undefined;
  const shown = chosen ? shapeOf(root, chosen) : shape;
  if (shown.kind === "object" && isObject(state.value) && membersOf(shown.schema).length > 0) {
    return <ObjectField {...field} shape={shown} />;
  }
  if (shown.kind === "list" && Array.isArray(state.value) && state.value.some(isObject)) {
    return <ListField {...field} shape={shown} />;
  }
  const long = typeof state.value === "object" && state.value !== null;
  return (
    <div className="sf-field" data-wide={long || undefined}>
      {!bare && <div className="sf-dimmed">{look.label}</div>}
      <ReadValue {...field} />
      <Faults id={`${field.place.pointer}-e`} faults={state.faults} />
    </div>
  );
}

function ReadValue({ state, look }: FieldProps) {
  const text = useTexts(formTexts);
  const { value } = state;
  if (value === ABSENT) return <span className="sf-dimmed">{text.nothing}</span>;
  if (look.sensitive) return <span title={text.sensitive}>{text.hiddenValue}</span>;
  const choice = look.choices.find((each) => same(each.value, value));
  if (choice) return <div className="sf-read">{choice.label}</div>;
  if (value === "") return <span className="sf-dimmed">{text.emptyText}</span>;
  if (typeof value === "string") return <div className="sf-read">{value}</div>;
  if (typeof value === "boolean") return <div className="sf-read">{value ? text.yes : text.no}</div>;
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) {
    return <div className="sf-read">{value.map(shownConstant).join(", ") || "[]"}</div>;
  }
  return <code className="sf-read">{toJson(value, 2)}</code>;
}
