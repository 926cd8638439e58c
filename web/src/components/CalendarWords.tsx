import "@mantine/dates/styles.css";
import "dayjs/locale/zh-cn";
import { DatesProvider } from "@mantine/dates";
import type { ReactNode } from "react";
import { useLanguage } from "#/i18n/texts";

/** Around every date that is picked: its calendar speaks the page's language. Beside them, since most pages have none. */
export function CalendarWords({ children }: { children: ReactNode }) {
  const language = useLanguage();
  return (
    <DatesProvider settings={{ locale: language === "zh" ? "zh-cn" : "en", firstDayOfWeek: 1 }}>
      {children}
    </DatesProvider>
  );
}
