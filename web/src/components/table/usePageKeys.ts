import { useEffect, useRef } from "react";

const TYPING =
  "input, textarea, select, [contenteditable='true'], .cm-editor, [role='dialog'], [role='menu'], [role='listbox']";

/** Runs `act` on a key pressed where nobody is typing; of several that want a key the first on the page has it. */
export function usePageKeys(keys: string, act: (event: KeyboardEvent) => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!keys.includes(event.key) || event.key.length !== 1) return;
      if (event.target instanceof Element && event.target.closest(TYPING)) return;
      event.preventDefault();
      latest.current(event);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [keys]);
}
