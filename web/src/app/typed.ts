/** What was typed into forms and not sent, by form; kept by the tab, so that loading again loses nothing. Secrets are not. */
const BEGIN = "croupier.draft.";
/** A draft beyond this is not kept: the browser holds some 5 MB for all of a tab. */
const MOST = 500_000;

const unkept = new Set<string>();

/** Keeps `text`, the form's value as JSON; without `may` only the tab's memory has it. */
export function keepTyped(form: string, text: string, may: boolean): void {
  if (may && text.length <= MOST && stored(BEGIN + form, text)) {
    unkept.delete(form);
  } else {
    unkept.add(form);
    sessionStorage.removeItem(BEGIN + form);
  }
}

/** false where the browser has no more room. */
function stored(name: string, text: string): boolean {
  try {
    sessionStorage.setItem(name, text);
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
  return true;
}

/** null where nothing is kept. */
export function typedBefore(form: string): string | null {
  return sessionStorage.getItem(BEGIN + form);
}

export function forgetTyped(form: string): void {
  unkept.delete(form);
  sessionStorage.removeItem(BEGIN + form);
}

/** Its page was left: what only that had is gone. */
export function leftForm(form: string): void {
  unkept.delete(form);
}

/** Whether loading again would lose something. */
export function hasTyped(): boolean {
  return unkept.size > 0;
}
