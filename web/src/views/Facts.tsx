import "./facts.css";
import { Fragment, type ReactNode } from "react";

export type Fact = readonly [label: string, value: ReactNode];

/** What a page knows of a thing, name by name. Facts whose value is null or "" are left out. */
export function Facts({ facts }: { facts: readonly (Fact | false | null | undefined)[] }) {
  const known = facts.filter((fact): fact is Fact => Boolean(fact) && isThere((fact as Fact)[1]));
  return (
    <dl className="facts">
      {known.map(([label, value], place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two facts may go by the same name
        <Fragment key={place}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function isThere(value: ReactNode): boolean {
  return value !== null && value !== undefined && value !== "" && value !== false;
}
