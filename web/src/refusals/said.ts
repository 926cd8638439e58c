import type { Problem } from "#/api/problem";
import type { Language } from "#/i18n/language";
import { chinese, chineseKinds } from "./chinese";
import type { Code, Kinds, Sentences } from "./codes";
import { english, englishKinds } from "./english";

const SENTENCES: Readonly<Record<Language, Sentences>> = { en: english, zh: chinese };
const KINDS: Readonly<Record<Language, Kinds>> = { en: englishKinds, zh: chineseKinds };

/** Something that the server says by name, and in English words for whoever does not know the name. */
export interface Told {
  readonly code?: Code | null | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly detail: string;
}

/** It in the language of the page; in the server's words where the code is newer than the page, or none. */
export function said({ code, parameters = {}, detail }: Told, language: Language): string {
  const sentence = code && Object.hasOwn(SENTENCES[language], code) ? SENTENCES[language][code] : undefined;
  return sentence ? sentence((name) => parameters[name] ?? "") : detail;
}

export interface Saying {
  readonly title: string;
  /** What happened. */
  readonly detail: string;
  /** What to do, where `detail` is in the server's words, which may not be the reader's. */
  readonly next: string;
}

/** What a kind of failure is called and what one does about it; null for a reason that the page does not know. */
export function kindOf(reason: string, language: Language): Omit<Saying, "detail"> | null {
  const kinds: Readonly<Record<string, Omit<Saying, "detail">>> = KINDS[language];
  return Object.hasOwn(kinds, reason) ? (kinds[reason] ?? null) : null;
}

/** A problem in the language of the page. */
export function sayingOf(problem: Problem, language: Language): Saying {
  const { reason, title, details, detail } = problem;
  const kind = kindOf(reason, language);
  const words = said({ code: problem.code, parameters: details, detail }, language);
  return { title: kind?.title ?? title, detail: words, next: words === detail && kind ? kind.next : "" };
}
