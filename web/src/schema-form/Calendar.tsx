import { DatePicker } from "@mantine/dates";
import "dayjs/locale/zh-cn";
import { useLanguage } from "#/i18n/texts";

interface Props {
  /** YYYY-MM-DD */
  readonly value: string | null;
  readonly onPick: (day: string) => void;
}

export default function Calendar({ value, onPick }: Props) {
  const language = useLanguage();
  return (
    <DatePicker
      size="xs"
      locale={language === "zh" ? "zh-cn" : "en"}
      firstDayOfWeek={1}
      {...(value && { defaultDate: value })}
      value={value}
      onChange={(day) => day && onPick(day)}
    />
  );
}
