import type { Language } from "#/i18n/language";
import { inLanguage } from "#/i18n/texts";
import { kindOf, said } from "#/refusals/said";
import type { Row } from "./queries";

/** Why a row does not fit. */
export function faultOf({ message, zh }: Row["errors"][number], language: Language): string {
  return inLanguage({ en: message, zh: zh ?? "" }, language);
}

/** Why a row failed. */
export function failureOf(row: Pick<Row, "reason" | "message" | "code" | "parameters">, language: Language): string {
  const { reason, message, code, parameters } = row;
  const told = said({ code, parameters, detail: message }, language);
  return [kindOf(reason, language)?.title ?? reason, told].filter(Boolean).join(": ");
}
