import { Textarea } from "@mantine/core";
import { useState } from "react";
import { parseJson, toJson, Unreadable } from "#/forms/exactJson";
import { type FieldProps, Frame, useControl } from "./Frame";
import { ABSENT } from "./place";

/** Any JSON. What cannot be read is kept as it was typed, and is a fault. */
export function JsonField(field: FieldProps) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const { state, look } = field;
  const [draft, setDraft] = useState<{ text: string; value: unknown }>({ text: "", value: ABSENT });
  const shown = draft.value === state.value ? draft.text : state.value === ABSENT ? "" : toJson(state.value, 2);
  const take = (text: string) => {
    const value = text.trim() === "" ? ABSENT : read(text);
    setDraft({ text, value });
    change(value);
  };
  return (
    <Frame field={field} wide>
      <Textarea
        {...props}
        size="xs"
        error={error}
        placeholder={placeholder || "{ }"}
        rows={look.rows || Math.min(Math.max(shown.split("\n").length, 2), 12)}
        resize="vertical"
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        value={shown}
        onChange={(event) => take(event.currentTarget.value)}
        onBlur={onBlur}
      />
    </Frame>
  );
}

function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return new Unreadable(text);
    throw error;
  }
}
