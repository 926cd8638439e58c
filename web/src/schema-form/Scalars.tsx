/** Fields of one value: texts, numbers, switches, choices. */
import { Input, PasswordInput, Radio, SegmentedControl, Select, Switch, Textarea } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { same } from "#/forms/nodes";
import { useTexts } from "#/i18n/texts";
import { type FieldProps, Frame, useControl } from "./Frame";
import { shownConstant } from "./look";
import { readNumber, shownNumber, stepped } from "./numbers";
import { ABSENT } from "./place";
import { formTexts } from "./texts";

function asText(value: unknown): string {
  return typeof value === "string" ? value : value === ABSENT || value === null ? "" : shownConstant(value);
}

/** Emptied, a text is left out; "" is sent by the action beside the name. */
export function TextField(field: FieldProps) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const { look, state, shape } = field;
  const onChange = (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    change(value === "" ? ABSENT : value);
  };
  const all = { ...props, error, placeholder, onBlur, onChange, value: asText(state.value) };
  const long =
    look.widget === "textarea" ||
    look.widget === "code" ||
    look.rows > 1 ||
    isLong(shape.schema.maxLength, state.value);
  if (look.sensitive) {
    return (
      <Frame field={field}>
        <PasswordInput {...all} size="xs" autoComplete="off" />
      </Frame>
    );
  }
  if (long && !field.bare) {
    return (
      <Frame field={field} wide>
        <Textarea
          {...all}
          size="xs"
          rows={look.rows || 4}
          resize="vertical"
          styles={look.widget === "code" ? { input: { fontFamily: "var(--mantine-font-family-monospace)" } } : {}}
        />
      </Frame>
    );
  }
  return (
    <Frame field={field}>
      <Input
        {...all}
        size="xs"
        type={TYPES[String(shape.schema.format)] ?? "text"}
        autoComplete="off"
        spellCheck={false}
      />
    </Frame>
  );
}

const TYPES: Record<string, string> = { email: "email", uri: "url", color: "color" };

function isLong(most: unknown, value: unknown): boolean {
  if (typeof value === "string" && value.includes("\n")) return true;
  return typeof most === "number" && most >= 400 && most <= 4_000;
}

/** Every digit is kept: whole numbers beyond 2^53 exactly, and what is no number as it was typed, as a fault. */
export function NumberField(field: FieldProps) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const { shape, state } = field;
  const [draft, setDraft] = useState<{ text: string; value: unknown }>({ text: "", value: ABSENT });
  const shown = draft.value === state.value ? draft.text : shownNumber(state.value);
  const take = (text: string) => {
    const value = text.trim() === "" ? ABSENT : readNumber(text, shape.asText);
    setDraft({ text, value });
    change(value);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    const next = direction && !event.altKey ? stepped(state.value, direction, shape.schema) : null;
    if (next === null) return;
    event.preventDefault();
    take(next);
  };
  return (
    <Frame field={field}>
      <Input
        {...props}
        error={error}
        placeholder={placeholder}
        size="xs"
        inputMode={shape.kind === "integer" ? "numeric" : "decimal"}
        autoComplete="off"
        value={shown}
        onChange={(event) => take(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onBlur={onBlur}
      />
    </Frame>
  );
}

export function BooleanField(field: FieldProps) {
  const { props, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const { state } = field;
  const told =
    state.value === true
      ? text.yes
      : state.value === false
        ? text.no
        : state.value === null
          ? text.isNull
          : text.notSet;
  return (
    <Frame field={field}>
      <Switch
        {...props}
        size="xs"
        checked={state.value === true}
        label={<span className={state.value === true ? "" : "sf-dimmed"}>{told}</span>}
        onChange={(event) => change(event.currentTarget.checked)}
        onBlur={onBlur}
        mt={4}
      />
    </Frame>
  );
}

/** There is nothing to choose where it must be there. */
export function ConstantField(field: FieldProps) {
  const { props, change } = useControl(field);
  const { shape, state } = field;
  const constant = shape.schema.const;
  if (field.required && same(state.value, constant)) {
    return (
      <Frame field={field}>
        <output id={props.id}>
          <code>{shownConstant(constant)}</code>
        </output>
      </Frame>
    );
  }
  return (
    <Frame field={field}>
      <Switch
        {...props}
        size="xs"
        mt={4}
        checked={same(state.value, constant)}
        label={<code>{shownConstant(constant)}</code>}
        onChange={(event) => change(event.currentTarget.checked ? constant : ABSENT)}
      />
    </Frame>
  );
}

const MANY_CHOICES = 8;

export function ChoiceField(field: FieldProps) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const { look, state, required, disabled } = field;
  const known = look.choices.findIndex(({ value }) => same(value, state.value));
  const strange = known < 0 && state.value !== ABSENT && state.value !== null;
  const data = look.choices.map(({ label }, index) => ({ value: String(index), label }));
  if (strange) data.push({ value: "?", label: shownConstant(state.value) });
  const choose = (index: string | null) =>
    change(index === null ? ABSENT : index === "?" ? state.value : look.choices[Number(index)]?.value);
  const value = known >= 0 ? String(known) : strange ? "?" : null;
  if (look.widget === "radio" && !field.bare) {
    return (
      <Frame field={field}>
        <Radio.Group id={props.id} aria-label={look.label} value={value} onChange={choose} onBlur={onBlur}>
          {data.map((each) => (
            <Radio key={each.value} size="xs" value={each.value} label={each.label} disabled={disabled} mt={4} />
          ))}
        </Radio.Group>
      </Frame>
    );
  }
  if (look.widget === "segmented" && !field.bare) {
    return (
      <Frame field={field}>
        <div>
          <SegmentedControl
            aria-label={look.label}
            size="xs"
            data={data}
            value={value ?? ""}
            onChange={choose}
            disabled={disabled}
            onBlur={onBlur}
          />
        </div>
      </Frame>
    );
  }
  return (
    <Frame field={field}>
      <Select
        {...props}
        size="xs"
        error={error}
        data={data}
        value={value}
        onChange={choose}
        onBlur={onBlur}
        placeholder={placeholder || text.choose}
        searchable={data.length > MANY_CHOICES}
        clearable={!required && field.bare}
        allowDeselect={false}
        limit={300}
        nothingFoundMessage={text.nothingFound}
        checkIconPosition="right"
      />
    </Frame>
  );
}
