import { Autocomplete, Loader, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { request } from "#/api/client";
import { FormError, Transform } from "#/forms";
import { parseJson, toJson } from "#/forms/exactJson";
import { isObject, type JsonObject, same } from "#/forms/nodes";
import { useTexts } from "#/i18n/texts";
import { useForm } from "./context";
import { type FieldProps, Frame, useControl } from "./Frame";
import { type LabelledChoice, type OptionsSource, shownConstant } from "./look";
import { readNumber } from "./numbers";
import { ABSENT } from "./place";
import { formTexts } from "./texts";

const KEPT_MS = 60_000;
const MOST = 5_000;

/** Choices that another function gives. Where it does not answer, the value is typed. */
export function OptionsField(field: FieldProps) {
  const { look, shape, state, required } = field;
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const options = useOptions(look.source);
  if (!options.data) {
    const take = (typed: string) => {
      if (typed === "") return change(ABSENT);
      change(shape.kind === "number" || shape.kind === "integer" ? readNumber(typed, shape.asText) : typed);
    };
    return (
      <Frame field={field}>
        <Autocomplete
          {...props}
          size="xs"
          error={error}
          data={[]}
          value={state.value === ABSENT || state.value === null ? "" : shownConstant(state.value)}
          onChange={take}
          onBlur={onBlur}
          placeholder={options.isPending ? text.loadingOptions : placeholder}
          rightSection={options.isFetching ? <Loader size={12} /> : null}
        />
        {options.error && (
          <div className="sf-dimmed" role="status">
            {text.optionsFailed}: {options.error.message.slice(0, 200)}
          </div>
        )}
      </Frame>
    );
  }
  const all = known(options.data, state.value);
  const index = all.findIndex(({ value }) => same(value, state.value));
  return (
    <Frame field={field}>
      <Select
        {...props}
        size="xs"
        error={error}
        data={all.map(({ label }, number) => ({ value: String(number), label }))}
        value={index >= 0 ? String(index) : null}
        onChange={(next) => change(next === null ? ABSENT : all[Number(next)]?.value)}
        onBlur={onBlur}
        placeholder={placeholder || text.choose}
        searchable
        clearable={!required && field.bare}
        allowDeselect={false}
        limit={200}
        nothingFoundMessage={text.nothingFound}
      />
    </Frame>
  );
}

/** With the value that is there, also where the function does not name it. */
function known(options: readonly LabelledChoice[], value: unknown): readonly LabelledChoice[] {
  if (value === ABSENT || value === null || options.some((each) => same(each.value, value))) return options;
  return [{ value, label: shownConstant(value) }, ...options];
}

function useOptions(source: OptionsSource | null) {
  const { store } = useForm();
  const payload = useSyncExternalStore(store.subscribe, () => toJson(filled(source?.arguments ?? {}, store.value)));
  return useQuery({
    queryKey: ["form-options", source, payload],
    queryFn: async ({ signal }) => {
      const answer = await request("/api/invoke", {
        method: "POST",
        signal,
        headers: { "content-type": "application/json" },
        body: `{"function_id":${JSON.stringify(source?.function)},"payload":${payload}}`,
      });
      return choicesIn(parseJson(await answer.text()), source);
    },
    enabled: source !== null,
    staleTime: KEPT_MS,
    retry: 1,
  });
}

/** Arguments whose texts begin with `$` are taken from the form's value; those that find nothing are left out. */
function filled(given: JsonObject, value: unknown): JsonObject {
  const found = Object.entries(given).map(([name, each]): [string, unknown] => {
    if (typeof each !== "string" || !each.startsWith("$")) return [name, each];
    return [name, followed(each, value)];
  });
  return Object.fromEntries(found.filter(([, each]) => each !== null && each !== undefined));
}

function followed(path: string, value: unknown): unknown {
  try {
    return Transform.read({ expr: path }).apply(value);
  } catch (error) {
    if (error instanceof FormError) return null;
    throw error;
  }
}

function choicesIn(answer: unknown, source: OptionsSource | null): LabelledChoice[] {
  const found = source?.items ? followed(source.items, answer) : firstList(answer);
  return (Array.isArray(found) ? found : []).slice(0, MOST).map((each): LabelledChoice => {
    if (!isObject(each)) return { value: each, label: shownConstant(each) };
    const value = source?.value ? each[source.value] : (each.value ?? each.id ?? each.name);
    const label = source?.label ? each[source.label] : (each.label ?? each.title ?? each.name ?? value);
    return {
      value,
      label:
        label === value || label === undefined
          ? shownConstant(value)
          : `${shownConstant(label)} (${shownConstant(value)})`,
    };
  });
}

/** The answer itself where it is a list, else the first list in it. */
function firstList(answer: unknown): unknown {
  return Array.isArray(answer) ? answer : isObject(answer) ? Object.values(answer).find(Array.isArray) : [];
}
