export type Language = "en" | "zh";

export const LANGUAGES: readonly Language[] = ["en", "zh"];

const KEPT_AS = "croupier.language";

/** What `<html lang>`, dates and numbers are written in. */
export const LOCALE: Record<Language, string> = { en: "en", zh: "zh-CN" };

/** The language that `text` (a URL's `lang`, a browser's setting) asks for; null when it is none of ours. */
export function readLanguage(text: string | null | undefined): Language | null {
  const begin = text?.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === begin) ?? null;
}

/** The language chosen last in this browser, else the browser's own, else English. */
export function preferredLanguage(): Language {
  return (
    readLanguage(localStorage.getItem(KEPT_AS)) ??
    navigator.languages.map(readLanguage).find((found) => found !== null) ??
    "en"
  );
}

export function keepLanguage(language: Language): void {
  localStorage.setItem(KEPT_AS, language);
}
