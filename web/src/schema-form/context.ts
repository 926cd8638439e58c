import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import type { JsonObject } from "#/forms/nodes";
import type { Place } from "./place";
import { type FieldState, FormStore } from "./store";

export interface FormStanding {
  readonly store: FormStore;
  /** The whole schema, which references lead into. */
  readonly root: JsonObject;
  /** What the ids of the fields begin with. */
  readonly id: string;
  readonly readOnly: boolean;
  readonly disabled: boolean;
}

export const FormContext = createContext<FormStanding>({
  store: new FormStore(),
  root: {},
  id: "",
  readOnly: false,
  disabled: false,
});

export function useForm(): FormStanding {
  return useContext(FormContext);
}

export function useField(place: Place): FieldState {
  const { store } = useForm();
  return useSyncExternalStore(store.subscribe, () => store.field(place));
}

export function fieldId(form: string, pointer: string): string {
  return `${form}${pointer}`;
}

/** Calls `show` when a field somewhere inside `place` is to be brought into view. */
export function useWanted(place: Place, show: (pointer: string) => void): void {
  const { store } = useForm();
  const wanted = useSyncExternalStore(store.subscribe, () => store.wanted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time that a field is wanted
  useEffect(() => {
    if (wanted && (wanted.pointer === place.pointer || wanted.pointer.startsWith(`${place.pointer}/`)))
      show(wanted.pointer);
  }, [wanted]);
}
