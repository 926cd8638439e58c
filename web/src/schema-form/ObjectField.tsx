import { Badge, Button, Tabs } from "@mantine/core";
import { type CSSProperties, type ReactNode, useState, useSyncExternalStore } from "react";
import { isObject, type JsonObject } from "#/forms/nodes";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useForm, useWanted } from "./context";
import { Field } from "./Field";
import { Actions, Faults, type FieldProps, Required } from "./Frame";
import { firstOf } from "./first";
import { type Arrangement, arrangementOf, type FieldGroup, fieldSpecs } from "./look";
import { MapFields } from "./MapFields";
import { ABSENT, inside, type Place } from "./place";
import { isRequired, membersOf, schemaFor } from "./shape";
import { topField } from "./store";
import { formTexts } from "./texts";

/** Beyond this depth what may be left out is drawn when it is asked for: a schema may lead back to itself. */
const OPEN_DEPTH = 1;

export function ObjectField(field: FieldProps) {
  const { place, shape, spec, state, look, required, bare, disabled } = field;
  const { root, store } = useForm();
  const text = useTexts(formTexts);
  const schema = schemaFor(root, shape.schema, state.value);
  if (place.path.length === 0) return <Members schema={schema} spec={spec} place={place} value={state.value} />;
  const absent = state.value === ABSENT || state.value === null;
  const closed = absent && (state.value === null || (!required && place.path.length > OPEN_DEPTH));
  const body = closed ? (
    <Button
      variant="default"
      disabled={disabled}
      onClick={() => store.change(place, firstOf(root, shape.schema, spec))}
    >
      {state.value === null ? text.isNull : "+"} {look.label}
    </Button>
  ) : (
    <Members schema={schema} spec={spec} place={place} value={state.value} marks={!bare} />
  );
  const faults = <Faults id={`${place.pointer}-e`} faults={state.faults} />;
  if (bare) {
    return (
      <div className="sf-field" data-wide>
        {body}
        {faults}
      </div>
    );
  }
  return (
    <fieldset className="sf-field sf-group" data-wide>
      <legend>
        <span style={{ display: "flex", alignItems: "baseline", gap: 6 }}>
          {look.label}
          <Required when={required} />
          {state.value === ABSENT && <span className="sf-dimmed">{text.notSet}</span>}
          <Actions field={field} />
        </span>
      </legend>
      {look.description && <div className="sf-dimmed sf-description">{look.description}</div>}
      {body}
      {faults}
    </fieldset>
  );
}

interface MembersProps {
  readonly schema: JsonObject;
  readonly spec: JsonObject;
  readonly place: Place;
  readonly value: unknown;
  /** Whether constants are shown: those of an alternative are told by the choice of it. */
  readonly marks?: boolean;
}

/** The fields of an object, in its groups. */
export function Members({ schema, spec, place, value, marks = true }: MembersProps) {
  const language = useLanguage();
  const text = useTexts(formTexts);
  const arrangement = arrangementOf(spec, language);
  const all = membersOf(schema);
  const names = (marks ? all : all.filter(([name, member]) => !isMark(schema, name, member))).map(([name]) => name);
  const grouped = new Set(arrangement.groups.flatMap((group) => group.fields));
  const rest = names.filter((name) => !grouped.has(name));
  const grid = (fields: readonly string[]) => (
    <Grid columns={arrangement.columns}>
      <MemberFields names={fields.filter((name) => names.includes(name))} schema={schema} spec={spec} place={place} />
    </Grid>
  );
  const more = <MapFields schema={schema} spec={spec} place={place} value={value} known={all.map(([name]) => name)} />;
  if (arrangement.groups.length === 0) {
    return (
      <>
        {grid(names)}
        {more}
      </>
    );
  }
  const groups = rest.length > 0 ? withRest(arrangement, rest, text.otherFields) : arrangement.groups;
  if (arrangement.tabs) return <TabbedGroups groups={groups} place={place} grid={grid} more={more} />;
  return (
    <>
      {groups.map((group) => (
        <section key={`${group.title} ${group.fields[0]}`} style={{ marginBottom: 12 }}>
          <GroupHead group={group} />
          {grid(group.fields)}
        </section>
      ))}
      {more}
    </>
  );
}

function isMark(schema: JsonObject, name: string, member: unknown): boolean {
  return isRequired(schema, name) && isObject(member) && "const" in member;
}

/** What no group names comes last in tabs; else before them, without a title. */
function withRest({ tabs, groups }: Arrangement, rest: readonly string[], title: string): readonly FieldGroup[] {
  const others: FieldGroup = { title: tabs ? title : "", description: "", fields: rest };
  return tabs ? [...groups, others] : [others, ...groups];
}

function GroupHead({ group }: { group: FieldGroup }) {
  return (
    <>
      {group.title && <div className="sf-group-title">{group.title}</div>}
      {group.description && <div className="sf-dimmed sf-description">{group.description}</div>}
    </>
  );
}

function Grid({ columns, children }: { columns: number; children: ReactNode }) {
  return (
    <div
      className="sf-grid"
      data-columns={columns || undefined}
      style={columns > 0 ? ({ "--sf-columns": columns } as CSSProperties) : {}}
    >
      {children}
    </div>
  );
}

interface MemberFieldsProps {
  readonly names: readonly string[];
  readonly schema: JsonObject;
  readonly spec: JsonObject;
  readonly place: Place;
}

function MemberFields({ names, schema, spec, place }: MemberFieldsProps) {
  const specs = fieldSpecs(spec);
  const members = isObject(schema.properties) ? schema.properties : {};
  return names.map((name) => (
    <Field
      key={name}
      name={name}
      place={inside(place, name)}
      schema={members[name]}
      spec={specs.get(name) ?? NOTHING_SAID}
      required={isRequired(schema, name)}
    />
  ));
}

const NOTHING_SAID: JsonObject = {};

interface TabbedProps {
  readonly groups: readonly FieldGroup[];
  readonly place: Place;
  readonly grid: (fields: readonly string[]) => ReactNode;
  readonly more: ReactNode;
}

function TabbedGroups({ groups, place, grid, more }: TabbedProps) {
  const [tab, setTab] = useState("0");
  const counts = useFaultCounts(groups, place);
  const text = useTexts(formTexts);
  useWanted(place, (pointer) => {
    const name = topField(pointer.slice(place.pointer.length));
    const index = groups.findIndex((group) => group.fields.includes(name));
    if (index >= 0) setTab(String(index));
  });
  return (
    <Tabs value={tab} onChange={(next) => setTab(next ?? "0")}>
      <Tabs.List mb={8}>
        {groups.map((group, index) => (
          <Tabs.Tab
            key={`${group.title} ${group.fields[0]}`}
            value={String(index)}
            rightSection={
              counts[index] ? (
                <Badge color="red" variant="filled" size="xs" aria-label={text.faultsIn(counts[index])}>
                  {counts[index]}
                </Badge>
              ) : null
            }
          >
            {group.title || text.otherFields}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {groups.map((group, index) => (
        <Tabs.Panel key={`${group.title} ${group.fields[0]}`} value={String(index)}>
          {group.description && <div className="sf-dimmed sf-description">{group.description}</div>}
          {grid(group.fields)}
          {index === groups.length - 1 && more}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

/** How many faults are shown in each group. */
function useFaultCounts(groups: readonly FieldGroup[], place: Place): number[] {
  const { store } = useForm();
  const told = useSyncExternalStore(store.subscribe, () =>
    store.faults
      .filter(({ path }) => path.startsWith(`${place.pointer}/`))
      .map(({ path }) => topField(path.slice(place.pointer.length)))
      .join("\n"),
  );
  const names = told === "" ? [] : told.split("\n");
  return groups.map((group) => names.filter((name) => group.fields.includes(name)).length);
}
