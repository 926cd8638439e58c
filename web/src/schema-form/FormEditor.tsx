import { Alert, Button, Group, Kbd, SegmentedControl } from "@mantine/core";
import { type KeyboardEvent, lazy, Suspense, useRef, useState } from "react";
import { Waiting } from "#/components/Waiting";
import { parseJson, toJson, Unreadable } from "#/forms/exactJson";
import { useTexts } from "#/i18n/texts";
import { SchemaForm, type SchemaFormProps } from "./SchemaForm";
import { formTexts } from "./texts";
import "./schema-form.css";

const JsonEditor = lazy(() => import("./JsonEditor"));

export type FormTab = "form" | "json";

export interface FormEditorProps extends SchemaFormProps {
  /** Which of the two is shown, where the page keeps it (in its URL). */
  readonly tab?: FormTab;
  readonly onTab?: (tab: FormTab) => void;
}

/**
 * A form and the JSON that it makes, two views of one value; Alt+J goes from one to the other. Text that is no JSON is kept:
 * the value is then `Unreadable`, which `checkForm` tells as a fault and which cannot be sent.
 */
export function FormEditor({ tab: given, onTab, ...form }: FormEditorProps) {
  const text = useTexts(formTexts);
  const { value, onChange } = form;
  const [own, setOwn] = useState<FormTab>("form");
  const tab = given ?? own;
  const readable = useRef<unknown>({});
  if (!(value instanceof Unreadable)) readable.current = value;
  const go = (next: FormTab) => {
    setOwn(next);
    onTab?.(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || event.code !== "KeyJ") return;
    event.preventDefault();
    go(tab === "form" ? "json" : "form");
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key works wherever in it the focus is
    <div onKeyDown={onKeyDown}>
      <Group gap={6} mb={8}>
        <SegmentedControl
          size="xs"
          aria-label={text.form}
          value={tab}
          onChange={(next) => go(next === "json" ? "json" : "form")}
          data={[
            { value: "form", label: text.asForm },
            { value: "json", label: text.asJson },
          ]}
        />
        <Kbd size="xs">{text.keyHint}</Kbd>
      </Group>
      {tab === "json" ? (
        <Suspense fallback={<Waiting rows={4} />}>
          <JsonEditor
            text={value instanceof Unreadable ? value.text : toJson(value, 2)}
            onText={(typed) => onChange?.(read(typed))}
            label={text.json}
            readOnly={form.readOnly === true || form.disabled === true}
          />
        </Suspense>
      ) : value instanceof Unreadable ? (
        <NotJson back={() => go("json")} discard={() => onChange?.(readable.current)} />
      ) : (
        <SchemaForm {...form} />
      )}
    </div>
  );
}

function NotJson({ back, discard }: { back: () => void; discard: () => void }) {
  const text = useTexts(formTexts);
  return (
    <Alert className="sf-problem" color="orange" variant="light" role="alert" title={text.notJson}>
      {text.keptText}
      <Group gap="xs" mt="xs">
        <Button variant="default" onClick={back}>
          {text.backToJson}
        </Button>
        <Button variant="subtle" onClick={discard}>
          {text.discard}
        </Button>
      </Group>
    </Alert>
  );
}

function read(typed: string): unknown {
  try {
    return parseJson(typed);
  } catch (error) {
    if (error instanceof SyntaxError) return new Unreadable(typed);
    throw error;
  }
}
