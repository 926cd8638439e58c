import { useTexts } from "#/i18n/texts";
import { useOriginText } from "#/pages/registry/Origins";
import type { Entity } from "./queries";
import { entityTexts } from "./texts";

/** Where those who describe a type say different things. */
export function Conflicts({ entity: { conflicts } }: { entity: Entity }) {
  const text = useTexts(entityTexts);
  const originText = useOriginText();
  if (conflicts.length === 0) return null;
  const named = (origin: (typeof conflicts)[number]["kept"]) =>
    originText({ name: "", version: "", file: "", ...origin });
  return (
    <details style={{ padding: "0 16px 6px" }}>
      <summary>{text.conflictsOf(conflicts.length)}</summary>
      <ul>
        {conflicts.map(({ field, kept, left_out }) => (
          <li key={`${field} ${named(left_out)}`} style={{ overflowWrap: "anywhere" }}>
            <code>{field}</code> · {text.kept}: {named(kept)} · {text.leftOut}: {named(left_out)}
          </li>
        ))}
      </ul>
    </details>
  );
}
