import { Alert, Button, List } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { CatchBoundary } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useState, useSyncExternalStore } from "react";
import { FaultyForm, type FormError, pointer, type ValueFault } from "#/forms";
import { isObject } from "#/forms/nodes";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { checkForm, compiled } from "./check";
import { FormContext, type FormStanding, fieldId, useForm } from "./context";
import { Field } from "./Field";
import { ROOT } from "./place";
import { FormStore } from "./store";
import { formTexts } from "./texts";
import "./schema-form.css";

export interface SchemaFormProps {
  /** A JSON Schema 2020-12; what is none is a form of any JSON. */
  readonly schema: unknown;
  /** A UI schema (docs/reference/forms.md). */
  readonly ui?: unknown;
  readonly value: unknown;
  /** Takes another value for each change; it may hold `bigint` and `Unreadable` (see `#/forms/exactJson`). */
  readonly onChange?: (value: unknown) => void;
  /** What is wrong as the server, or `checkForm`, told it. The first of it is focused. */
  readonly faults?: readonly ValueFault[];
  readonly disabled?: boolean;
  /** As text, for approvals and past calls. */
  readonly readOnly?: boolean;
  /** Ctrl+Enter in a form without faults: what is to be sent. Leave it out where the page has that key for itself. */
  readonly onSubmit?: (pruned: unknown) => void;
  /** What the form is called to who cannot see it. */
  readonly label?: string;
}

const NO_FAULTS: readonly ValueFault[] = [];

/** A form for one function's arguments. It never throws: what it cannot show, it says, and the JSON beside it still works. */
export function SchemaForm(props: SchemaFormProps) {
  const {
    schema,
    ui,
    value,
    onChange,
    faults = NO_FAULTS,
    disabled = false,
    readOnly = false,
    onSubmit,
    label,
  } = props;
  const text = useTexts(formTexts);
  const id = useId();
  const { form, problem } = useMemo(() => compiled(schema, ui), [schema, ui]);
  const [store] = useState(() => {
    const begun = new FormStore();
    begun.reset(form, value);
    return begun;
  });
  const root = useMemo(() => (isObject(schema) ? schema : {}), [schema]);
  const standing = useMemo<FormStanding>(
    () => ({ store, root, id, readOnly, disabled }),
    [store, root, id, readOnly, disabled],
  );
  store.onChange = onChange ?? (() => undefined);
  useLayoutEffect(() => store.reset(form, value), [store, form, value]);
  useEffect(() => store.tell(faults), [store, faults]);
  useEffect(() => () => store.dispose(), [store]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!onSubmit || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (store.checkAll().length === 0) onSubmit(checkForm(schema, ui, store.value).pruned);
  };
  return (
    <FormContext value={standing}>
      {/* biome-ignore lint/a11y/useSemanticElements: a form of its own would be sent by Enter, which is how one misfires */}
      <div className="sf" role="group" aria-label={label ?? text.form} onKeyDown={onKeyDown}>
        {problem && <BrokenForm problem={problem} />}
        <Conditions />
        {!readOnly && <Summary />}
        <CatchBoundary getResetKey={() => id} errorComponent={BrokenForm}>
          <Field name={text.form} place={ROOT} schema={root} spec={isObject(ui) ? ui : root} required />
        </CatchBoundary>
        <Focus />
      </div>
    </FormContext>
  );
}

/** What is wrong with the form itself, where it stands. */
function BrokenForm({ problem, error }: { problem?: FormError; error?: unknown }) {
  const text = useTexts(formTexts);
  const language = useLanguage();
  const shown = problem ?? error;
  const told = shown instanceof FaultyForm ? shown.faults.slice(0, 20) : [];
  return (
    <Alert
      className="sf-problem"
      variant="light"
      color="orange"
      mb="xs"
      role="alert"
      icon={<IconAlertTriangle size={16} />}
      title={text.brokenForm}
    >
      <div>{text.brokenFormHint}</div>
      <List size="xs">
        {told.map(({ path, message }) => (
          <List.Item key={pointer(path)} style={{ overflowWrap: "anywhere" }}>
            <code>{pointer(path)}</code> {inLanguage(message, language)}
          </List.Item>
        ))}
        {told.length === 0 && <List.Item style={{ overflowWrap: "anywhere" }}>{String(shown).slice(0, 400)}</List.Item>}
      </List>
    </Alert>
  );
}

/** Where conditions cannot be told for the value that is there. */
function Conditions() {
  const { store } = useForm();
  const problem = useSyncExternalStore(store.subscribe, () => store.problem);
  return problem && <BrokenForm problem={problem} />;
}

const LISTED = 8;

/** How many faults are shown, the way to the next, and those that no field on screen stands for. */
function Summary() {
  const { store, id } = useForm();
  const text = useTexts(formTexts);
  const language = useLanguage();
  const count = useSyncExternalStore(store.subscribe, () => store.faults.length);
  const [last, setLast] = useState(-1);
  if (count === 0) return null;
  const { faults } = store;
  const homeless = faults.filter(({ path }) => !document.getElementById(fieldId(id, path)));
  const go = () => {
    const next = (last + 1) % faults.length;
    setLast(next);
    const fault = faults[next];
    if (fault) store.want(fault.path);
  };
  return (
    <div className="sf-summary" role="status" style={{ marginBottom: 8 }}>
      <div style={{ flex: 1, minWidth: 0 }}>
        {text.faults(count)}
        {homeless.slice(0, LISTED).map(({ path, message }) => (
          <div key={`${path} ${message.en}`} style={{ overflowWrap: "anywhere" }}>
            <code>{path || text.whole}</code> {inLanguage(message, language)}
          </div>
        ))}
      </div>
      <Button size="compact-xs" variant="default" onClick={go}>
        {text.nextFault}
      </Button>
    </div>
  );
}

/** Focuses the field that is wanted, once tabs and pages have made way for it. */
function Focus() {
  const { store, id } = useForm();
  const wanted = useSyncExternalStore(store.subscribe, () => store.wanted);
  useEffect(() => {
    if (!wanted) return;
    const frame = requestAnimationFrame(() => {
      const target = nearest(id, wanted.pointer);
      target?.scrollIntoView({ block: "nearest" });
      target?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, [wanted, id]);
  return null;
}

/** The field, or the nearest one around it. */
function nearest(form: string, at: string): HTMLElement | null {
  for (let path = at; path; path = path.slice(0, path.lastIndexOf("/"))) {
    const found = document.getElementById(fieldId(form, path));
    if (found) return found;
  }
  return null;
}
