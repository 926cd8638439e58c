/** Dates and times: typed as ISO 8601 has them, in 24 hours, with seconds and a zone; a calendar for who wants one. */
import { ActionIcon, Input, NativeSelect, Popover } from "@mantine/core";
import { IconCalendar, IconClock } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTexts } from "#/i18n/texts";
import { type FieldProps, Frame, useControl } from "./Frame";
import { localZone, readMoment, type Temporal, writtenMoment, zoneLabel, zonesFor } from "./moments";
import { ABSENT } from "./place";
import { formTexts } from "./texts";

const Calendar = lazy(() => import("./Calendar"));

export function DateField(field: FieldProps) {
  return <Moment field={field} kind="date" />;
}

export function DateTimeField(field: FieldProps) {
  return <Moment field={field} kind="date-time" />;
}

export function TimeField(field: FieldProps) {
  return <Moment field={field} kind="time" />;
}

const PLACEHOLDERS: Record<Temporal, string> = {
  date: "YYYY-MM-DD",
  "date-time": "YYYY-MM-DD HH:MM:SS",
  time: "HH:MM:SS",
};

function Moment({ field, kind }: { field: FieldProps; kind: Temporal }) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const { look, state, disabled } = field;
  const given = typeof state.value === "string" ? state.value : "";
  const read = readMoment(given, kind);
  const [chosenZone, setZone] = useState(localZone());
  const [draft, setDraft] = useState({ text: "", value: ABSENT as unknown });
  const zone = read?.zone || chosenZone;
  const shown = draft.value === state.value ? draft.text : (read?.shown ?? given);
  const take = (typed: string, inZone = zone) => {
    const value = typed.trim() === "" ? ABSENT : (writtenMoment(typed, inZone, kind) ?? typed);
    setDraft({ text: typed, value });
    change(value);
  };
  const leave = () => {
    setDraft({ text: "", value: Symbol("left") });
    onBlur();
  };
  return (
    <Frame field={field}>
      <div style={{ display: "flex", gap: 4 }}>
        <Input
          {...props}
          style={{ flex: 1, minWidth: 0 }}
          size="xs"
          error={error}
          placeholder={state.value === ABSENT && !look.placeholder ? PLACEHOLDERS[kind] : placeholder}
          autoComplete="off"
          value={shown}
          onChange={(event) => take(event.currentTarget.value)}
          onBlur={leave}
          rightSectionPointerEvents="all"
          rightSectionWidth={kind === "date" ? 26 : 48}
          rightSection={
            disabled ? undefined : (
              <Buttons
                kind={kind}
                name={look.label}
                date={read?.date ?? ""}
                take={(typed) => take(typed)}
                shown={shown}
              />
            )
          }
        />
        {kind !== "date" && (
          <NativeSelect
            size="xs"
            w={96}
            aria-label={text.zone(look.label)}
            data={zonesFor(zone).map((value) => ({ value, label: zoneLabel(value) }))}
            value={zone}
            disabled={disabled}
            onChange={(event) => {
              setZone(event.currentTarget.value);
              if (read) take(read.shown, event.currentTarget.value);
            }}
          />
        )}
      </div>
    </Frame>
  );
}

interface ButtonsProps {
  readonly kind: Temporal;
  readonly name: string;
  readonly date: string;
  readonly shown: string;
  readonly take: (typed: string) => void;
}

function Buttons({ kind, name, date, shown, take }: ButtonsProps) {
  const text = useTexts(formTexts);
  const [open, setOpen] = useState(false);
  const pick = (day: string) => {
    const [, time = "00:00:00"] = shown.split(/[ T]/);
    take(kind === "date" ? day : `${day} ${time}`);
    setOpen(false);
  };
  return (
    <span style={{ display: "flex" }}>
      {kind !== "date" && (
        <ActionIcon size={20} aria-label={`${name}: ${text.now}`} title={text.now} onClick={() => take(nowText(kind))}>
          <IconClock size={14} />
        </ActionIcon>
      )}
      {kind !== "time" && (
        <Popover opened={open} onChange={setOpen} trapFocus shadow="md" returnFocus>
          <Popover.Target>
            <ActionIcon size={20} aria-label={text.calendar(name)} onClick={() => setOpen(!open)}>
              <IconCalendar size={14} />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown>
            {open && (
              <Suspense fallback={null}>
                <Calendar value={date || null} onPick={pick} />
              </Suspense>
            )}
          </Popover.Dropdown>
        </Popover>
      )}
    </span>
  );
}

function nowText(kind: Temporal): string {
  const now = new Date();
  const two = (part: number) => String(part).padStart(2, "0");
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  return kind === "time" ? time : `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${time}`;
}
