import { UnstyledButton } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { CSSProperties, ReactNode } from "react";
import type { ValueFault } from "#/forms";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { fieldId, useForm } from "./context";
import type { Look } from "./look";
import { ABSENT, type Place } from "./place";
import type { Shape } from "./shape";
import type { FieldState } from "./store";
import { formTexts } from "./texts";

/** What every kind of field is given. */
export interface FieldProps {
  readonly name: string;
  readonly place: Place;
  readonly shape: Shape;
  readonly look: Look;
  /** What the UI schema says of it. */
  readonly spec: Record<string, unknown>;
  readonly state: FieldState;
  readonly required: boolean;
  readonly disabled: boolean;
  /** In a cell of a table or below the head of its own: the name is told by that. */
  readonly bare: boolean;
}

interface FrameProps {
  readonly field: FieldProps;
  /** Over the whole breadth of the form. */
  readonly wide?: boolean;
  /** More to do, beside the name. */
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

/** Name, control, what it means, and what is wrong with it. */
export function Frame({ field, wide, action, children }: FrameProps) {
  const { id } = useForm();
  const { place, look, state, bare } = field;
  const own = fieldId(id, place.pointer);
  if (bare) {
    return (
      <div className="sf-field">
        {children}
        <Faults id={`${own}-e`} faults={state.faults} />
      </div>
    );
  }
  const style = look.span > 0 ? ({ "--sf-span": look.span } as CSSProperties) : {};
  return (
    <div
      className="sf-field"
      data-wide={(wide && !look.span) || undefined}
      data-span={look.span || undefined}
      style={style}
    >
      <div className="sf-label">
        <label htmlFor={own}>{look.label}</label>
        <Required when={field.required} />
        {look.unit && <span className="sf-dimmed">{look.unit}</span>}
        <Actions field={field}>{action}</Actions>
      </div>
      {children}
      {look.description && (
        <div className="sf-dimmed" id={`${own}-d`}>
          {look.description}
        </div>
      )}
      <Faults id={`${own}-e`} faults={state.faults} />
    </div>
  );
}

export function Required({ when }: { when: boolean }) {
  const text = useTexts(formTexts);
  if (!when) return null;
  return (
    <span className="sf-required" role="img" aria-label={text.required} title={text.required}>
      *
    </span>
  );
}

export function Faults({ id, faults }: { id: string; faults: readonly ValueFault[] }) {
  const language = useLanguage();
  if (faults.length === 0) return null;
  return (
    <div className="sf-error" id={id}>
      {[...new Set(faults.map(({ message }) => inLanguage(message, language)))].join("; ")}
    </div>
  );
}

/** What cannot be typed: leaving a field out, null, an empty text. */
export function Actions({ field, children }: { field: FieldProps; children?: ReactNode }) {
  const { store } = useForm();
  const text = useTexts(formTexts);
  const { place, look, shape, state, required, disabled } = field;
  if (disabled) return null;
  const { minLength, format } = shape.schema;
  const mayBeEmpty = shape.kind === "text" && look.choices.length === 0 && !minLength && !format && !look.sensitive;
  const set = (value: unknown) => {
    store.change(place, value);
    store.leave(place);
  };
  return (
    <span className="sf-actions">
      {children}
      {state.value === ABSENT && mayBeEmpty && (
        <Action label={text.setEmpty(look.label)} onClick={() => set("")}>
          ""
        </Action>
      )}
      {shape.nullable && state.value !== null && (
        <Action label={text.setNull(look.label)} onClick={() => set(null)}>
          null
        </Action>
      )}
      {state.value !== ABSENT && !required && (
        <Action label={text.leaveOut(look.label)} onClick={() => set(ABSENT)}>
          <IconX size={12} />
        </Action>
      )}
    </span>
  );
}

export function Action({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <UnstyledButton className="sf-action" aria-label={label} title={label} onClick={onClick}>
      {children}
    </UnstyledButton>
  );
}

/** What ties a control to its name, its meaning and its faults. */
export function useControl(field: FieldProps) {
  const { id, store } = useForm();
  const text = useTexts(formTexts);
  const { place, look, state, required, disabled, bare } = field;
  const own = fieldId(id, place.pointer);
  const invalid = state.faults.length > 0;
  const told = [look.description && !bare ? `${own}-d` : "", invalid ? `${own}-e` : ""].filter(Boolean).join(" ");
  return {
    props: {
      id: own,
      disabled,
      ...(bare && { "aria-label": look.label }),
      ...(told && { "aria-describedby": told }),
      ...(required && { "aria-required": true }),
    },
    /** As Mantine's inputs take it: red, and told to who cannot see red. */
    error: invalid,
    placeholder: placeholderOf(field, text),
    change: (value: unknown) => store.change(place, value),
    onBlur: () => store.leave(place),
  };
}

function placeholderOf({ look, state, required, bare }: FieldProps, text: (typeof formTexts)["en"]): string {
  if (state.value === null) return text.isNull;
  if (state.value === "") return text.emptyText;
  if (look.placeholder) return look.placeholder;
  if (look.fallback !== undefined && look.fallback !== null && look.fallback !== "") {
    return text.byDefault(typeof look.fallback === "string" ? look.fallback : JSON.stringify(look.fallback));
  }
  return required || bare ? "" : text.notSet;
}
