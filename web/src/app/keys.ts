import { useEffect, useEffectEvent } from "react";

/** Whether keys belong to what has the focus: a field, an editor. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return ["TEXTAREA", "SELECT"].includes(target.tagName) || target.getAttribute("role") === "combobox";
}

/** Whether a dialog is in front of the page: its keys are its own. */
export function isCovered(): boolean {
  return document.querySelector('[role="dialog"][aria-modal="true"], .mantine-Modal-content') !== null;
}

/** After `g`, the letter has to come within this time. */
const SEQUENCE = 1_200;

/** `/`, `?`, `x`: single keys of the page. `g` before a letter makes it `g x`. None while somebody types or a dialog is open. */
export function usePageKeys(act: (key: string) => boolean): void {
  const onKey = useEffectEvent(act);
  useEffect(() => {
    let begun = 0;
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
      if (isTyping(event.target) || isCovered()) return;
      const second = Date.now() - begun < SEQUENCE;
      begun = 0;
      if (event.key === "g" && !second) begun = Date.now();
      else if (onKey(second ? `g ${event.key}` : event.key)) event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

/** Ctrl (on a Mac also Command) and a key, wherever the focus is. `key` as events name it: `k`, `Enter`. */
export function useControlKey(key: string, act: () => void): void {
  const onKey = useEffectEvent(act);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return;
      if (event.key.toLowerCase() !== key.toLowerCase() || event.repeat) return;
      event.preventDefault();
      onKey();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [key]);
}
