import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { EditorState, type Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useComputedColorScheme } from "@mantine/core";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { nonce } from "#/app/nonce";

/** Of both themes: `schema-form.css` says what they are. */
const COLORS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--sf-json-name)" },
  { tag: tags.string, color: "var(--sf-json-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--sf-json-value)" },
]);

interface Props {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly label: string;
  readonly readOnly: boolean;
}

/** JSON with colours and a mark where it cannot be read. Tab leaves it, as everywhere on the page. */
export default function JsonEditor({ text, onText, label, readOnly }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const take = useRef(onText);
  take.current = onText;
  const dark = useComputedColorScheme("light") === "dark";
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text it begins with; later ones are put in below
  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          syntaxHighlighting(COLORS),
          basicSetup,
          json(),
          linter(jsonParseLinter(), { delay: 300 }),
          lintGutter(),
          EditorView.lineWrapping,
          EditorView.theme({}, { dark }),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorState.readOnly.of(readOnly),
          EditorView.editable.of(!readOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && update.transactions.some(isTyped)) take.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    made.focus();
    return () => made.destroy();
  }, [label, readOnly, dark]);
  useEffect(() => {
    const editor = view.current;
    // What was typed here comes back as the same value in other words: it is left as it was typed.
    if (!editor || editor.hasFocus || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  return <div className="sf-json" ref={host} />;
}

const TYPED = ["input", "delete", "undo", "redo", "move"];

function isTyped(transaction: Transaction): boolean {
  return TYPED.some((event) => transaction.isUserEvent(event));
}
