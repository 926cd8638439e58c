import "./diff.css";
import { Text, VisuallyHidden } from "@mantine/core";
import { useMemo } from "react";
import { useTexts } from "#/i18n/texts";
import { asJson } from "../format";
import { viewTexts } from "../texts";
import { type Change, changes, MOST_CHANGES } from "./changes";

/** What differs between two values, path by path. */
export function DiffView({ before, after }: { before: unknown; after: unknown }) {
  const found = useMemo(() => changes(before, after), [before, after]);
  return <Changes changes={found} />;
}

const SIGNS = { added: "+", removed: "−", changed: "~" } as const;

export function Changes({ changes: found }: { changes: readonly Change[] }) {
  const text = useTexts(viewTexts);
  if (found.length === 0) return <Text c="dimmed">{text.same}</Text>;
  return (
    <>
      <table className="diff">
        <thead>
          <tr>
            <th scope="col">
              <VisuallyHidden>{text.changed}</VisuallyHidden>
            </th>
            <th scope="col">{text.path}</th>
            <th scope="col">{text.before}</th>
            <th scope="col">{text.after}</th>
          </tr>
        </thead>
        <tbody>
          {found.map((change, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a function may tell of the same path twice
            <tr key={place}>
              <td className="diff-sign" data-kind={change.kind}>
                <span role="img" aria-label={text[change.kind]}>
                  {SIGNS[change.kind]}
                </span>
              </td>
              <td>
                <bdi>{change.path.slice(0, 400)}</bdi>
              </td>
              <td>{change.kind !== "added" && <Side value={change.before} side="before" />}</td>
              <td>{change.kind !== "removed" && <Side value={change.after} side="after" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.length >= MOST_CHANGES && <Text c="dimmed">{text.tooMany(MOST_CHANGES)}</Text>}
    </>
  );
}

const SHOWN = 400;

function Side({ value, side }: { value: unknown; side: "before" | "after" }) {
  const written = asJson(value ?? null);
  const shown = written.length > SHOWN ? `${written.slice(0, SHOWN)}…` : written;
  const title = written.length > SHOWN ? written.slice(0, 4_000) : undefined;
  return side === "before" ? (
    <del className="diff-side" data-side={side} title={title}>
      <bdi>{shown}</bdi>
    </del>
  ) : (
    <ins className="diff-side" data-side={side} title={title}>
      <bdi>{shown}</bdi>
    </ins>
  );
}
