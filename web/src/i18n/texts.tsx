import { createContext, type ReactNode, useContext } from "react";
import { type Language, LOCALE } from "./language";

/** A text in both languages, as descriptors and problems carry them. */
export interface Bilingual {
  en?: string | null;
  zh?: string | null;
}

type Text = string | ((...values: never[]) => string);

/** Texts by name; a text with values in it is a function of them. */
export interface TextTable {
  readonly [name: string]: Text | TextTable;
}

/** The same names with the same values, whatever the words. */
type SameShape<T> = {
  readonly [K in keyof T]: T[K] extends (...values: infer V) => string
    ? (...values: V) => string
    : T[K] extends string
      ? string
      : SameShape<T[K]>;
};

export interface Texts<T> {
  readonly en: T;
  readonly zh: T;
}

/** Texts of a part of the page. They stand beside it, and a name that one language lacks does not compile. */
export function texts<const T extends TextTable>(en: T, zh: SameShape<T>): Texts<SameShape<T>> {
  return { en: en as unknown as SameShape<T>, zh };
}

const LanguageContext = createContext<Language>("en");

export function LanguageProvider({ language, children }: { language: Language; children: ReactNode }) {
  return <LanguageContext value={language}>{children}</LanguageContext>;
}

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

/** BCP 47, for Intl. */
export function useLocale(): string {
  return LOCALE[useLanguage()];
}

export function useTexts<T>(of: Texts<T>): T {
  return of[useLanguage()];
}

/** What a descriptor says in the page's language, else in the other one, else `fallback`. */
export function inLanguage(text: Bilingual | string | null | undefined, language: Language, fallback = ""): string {
  if (typeof text === "string") return text || fallback;
  const other = language === "en" ? "zh" : "en";
  return text?.[language] || text?.[other] || fallback;
}
