import { NativeSelect, TextInput } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { SPANS, type Span } from "./routes";
import { callsTexts } from "./texts";

interface TextFilterProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly width?: number;
  readonly onChange: (value: string | undefined) => void;
}

/** A filter that is asked for when it is finished: on Enter, or on leaving it. */
export function TextFilter({ label, value = "", width = 130, onChange }: TextFilterProps) {
  const done = (typed: string) => typed.trim() !== value && onChange(typed.trim() || undefined);
  return (
    <TextInput
      key={value}
      w={width}
      aria-label={label}
      placeholder={label}
      defaultValue={value}
      onBlur={(event) => done(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && done(event.currentTarget.value)}
    />
  );
}

interface StateFilterProps<S extends string> {
  readonly label: string;
  readonly any: string;
  readonly states: readonly S[];
  readonly names: Readonly<Record<S, string>>;
  readonly value: S | undefined;
  readonly onChange: (state: S | undefined) => void;
}

export function StateFilter<S extends string>({ label, any, states, names, value, onChange }: StateFilterProps<S>) {
  return (
    <NativeSelect
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(states.find((state) => state === event.currentTarget.value))}
      data={[{ value: "", label: any }, ...states.map((state) => ({ value: state, label: names[state] }))]}
    />
  );
}

export function SpanFilter({
  value,
  onChange,
}: {
  value: Span | undefined;
  onChange: (span: Span | undefined) => void;
}) {
  const text = useTexts(callsTexts);
  return (
    <NativeSelect
      aria-label={text.columns.time}
      value={value ?? ""}
      onChange={(event) => onChange(SPANS.find((span) => span === event.currentTarget.value))}
      data={[{ value: "", label: text.anyTime }, ...SPANS.map((span) => ({ value: span, label: text.spans[span] }))]}
    />
  );
}
