import { Button, Group, SegmentedControl, Select, TextInput } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { CalendarWords } from "#/components/CalendarWords";
import { useTexts } from "#/i18n/texts";
import { type AuditSearch, FILTERS, type FilterName } from "./routes";
import { auditTexts, resultIn } from "./texts";

const RESULTS = ["ok", "denied", "failed", "canceled", "outcome_unknown", "repeated", "waiting"];
const WIDTHS: Partial<Record<FilterName, number>> = { text: 140, action: 140, call_id: 130, value: 130 };

interface Props {
  readonly search: AuditSearch;
  readonly onChange: (change: AuditSearch) => void;
}

export function Filters({ search, onChange }: Props) {
  const text = useTexts(auditTexts);
  const given = FILTERS.some((name) => search[name]);
  return (
    <Group px="md" pb={6} gap={6}>
      <SegmentedControl
        aria-label={text.columns.scope}
        value={search.everywhere ?? ""}
        onChange={(everywhere) => onChange({ everywhere })}
        data={[
          { value: "", label: text.here },
          { value: "1", label: text.everywhere },
        ]}
      />
      {(["text", "actor", "action", "target", "call_id", "value"] as const).map((name) => (
        <Field key={name} name={name} search={search} onChange={onChange} />
      ))}
      <Moment name="since" search={search} onChange={onChange} />
      <Moment name="until" search={search} onChange={onChange} />
      <Select
        aria-label={text.filters.result}
        placeholder={text.filters.result}
        w={120}
        clearable
        data={RESULTS.map((value) => ({ value, label: resultIn(text.results, value) }))}
        value={search.result ?? null}
        onChange={(value) => onChange({ result: value ?? "" })}
      />
      <Select
        aria-label={text.filters.phase}
        placeholder={text.filters.phase}
        w={100}
        clearable
        data={(["intent", "outcome", "event"] as const).map((value) => ({ value, label: text.phases[value] }))}
        value={search.phase ?? null}
        onChange={(value) => onChange({ phase: value ?? "" })}
      />
      {given && (
        <Button variant="subtle" onClick={() => onChange(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>
          {text.filters.clear}
        </Button>
      )}
    </Group>
  );
}

function Field({
  name,
  search,
  onChange,
}: Props & { name: Exclude<FilterName, "since" | "until" | "result" | "phase"> }) {
  const text = useTexts(auditTexts);
  const now = search[name] ?? "";
  const take = (value: string) => value.trim() !== now && onChange({ [name]: value.trim() });
  return (
    <TextInput
      key={now}
      aria-label={text.filters[name]}
      placeholder={text.filters[name]}
      title={name === "value" ? text.filters.valueHint : undefined}
      w={WIDTHS[name] ?? 110}
      defaultValue={now}
      onBlur={(event) => take(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && take(event.currentTarget.value)}
    />
  );
}

/** A day; the server reads it as midnight UTC. */
function Moment({ name, search, onChange }: Props & { name: "since" | "until" }) {
  const text = useTexts(auditTexts);
  return (
    <CalendarWords>
      <DateInput
        aria-label={text.filters[name]}
        placeholder={text.filters[name]}
        valueFormat="YYYY-MM-DD"
        clearable
        w={120}
        value={search[name] ?? null}
        onChange={(day) => onChange({ [name]: day ?? "" })}
      />
    </CalendarWords>
  );
}
