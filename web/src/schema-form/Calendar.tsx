import { DatePicker } from "@mantine/dates";
import { CalendarWords } from "#/components/CalendarWords";

interface Props {
  /** YYYY-MM-DD */
  readonly value: string | null;
  readonly onPick: (day: string) => void;
}

export default function Calendar({ value, onPick }: Props) {
  return (
    <CalendarWords>
      <DatePicker
        size="xs"
        {...(value && { defaultDate: value })}
        value={value}
        onChange={(day) => day && onPick(day)}
      />
    </CalendarWords>
  );
}
