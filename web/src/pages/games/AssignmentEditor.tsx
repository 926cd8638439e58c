import { Alert, Button, Group, SegmentedControl, Stack, TagsInput, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { prefixOf } from "#/pages/registry/coverage";
import { type AssignmentChange, changeOf, idle, isPattern } from "./assigned";
import { type Assignments, assignmentsQuery, putAssignments } from "./queries";
import { gameTexts } from "./texts";

interface Props {
  /** `game|env` */
  readonly scope: string;
  /** Every function that is known anywhere. */
  readonly known: readonly string[];
  /** Whether one may change them. */
  readonly change: boolean;
}

/** What one game and env may use, and what another choice would do before it does it. */
export function AssignmentEditor({ scope, known, change }: Props) {
  const text = useTexts(gameTexts);
  const held = useQuery(assignmentsQuery);
  if (held.isError) return <ProblemBox error={held.error} again={() => void held.refetch()} />;
  if (!held.data) return <Waiting rows={2} />;
  const now = held.data.assignments[scope] ?? null;
  return (
    <Stack gap="xs" component="section" aria-label={`${text.assignments} ${scope.replace("|", " / ")}`}>
      <div>
        <Text fw={600}>{text.assignments}</Text>
        <Text c="dimmed">{text.assignmentsHint}</Text>
      </div>
      {change ? (
        // Begins anew when somebody changed them.
        <Editor key={JSON.stringify(now)} scope={scope} known={known} now={now} held={held.data} />
      ) : (
        <Text ff={now ? "monospace" : "text"} style={{ overflowWrap: "anywhere" }}>
          {now ? now.join(", ") : text.every}
        </Text>
      )}
    </Stack>
  );
}

interface EditorProps {
  readonly scope: string;
  readonly known: readonly string[];
  readonly now: readonly string[] | null;
  readonly held: { readonly assignments: Assignments; readonly etag: string };
}

function Editor({ scope, known, now, held }: EditorProps) {
  const text = useTexts(gameTexts);
  const [wanted, setWanted] = useState(now);
  const wrong = (wanted ?? []).some((pattern) => !isPattern(pattern));
  const changed = JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(now));
  const effect = changeOf(known, now, wanted);
  const { put, ask } = useSave(scope, held, wanted, effect);
  const label = `${text.assignments} ${scope.replace("|", " / ")}`;
  return (
    <>
      <SegmentedControl
        w="fit-content"
        aria-label={label}
        value={wanted === null ? "all" : "these"}
        data={[
          { value: "all", label: text.every },
          { value: "these", label: text.these },
        ]}
        onChange={(value) => setWanted(value === "all" ? null : (now ?? []))}
      />
      {wanted !== null && (
        <TagsInput
          aria-label={label}
          placeholder={text.add}
          description={text.addHint}
          error={wrong && text.invalid}
          data={suggestions(known)}
          limit={50}
          // Below stands what the change would do, and the button: they are not covered.
          comboboxProps={{ withinPortal: false, position: "bottom-end", width: 320 }}
          value={[...wanted]}
          onChange={setWanted}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
      )}
      {wanted !== null && idle(known, wanted).length > 0 && <Text>{text.idle(idle(known, wanted).join(", "))}</Text>}
      <div aria-live="polite">{changed && !wrong && <Effect effect={effect} />}</div>
      {put.error && <ProblemBox error={put.error} />}
      {changed && (
        <Group gap="xs">
          <Button onClick={ask} loading={put.isPending} disabled={wrong}>
            {text.save}
          </Button>
          <Button variant="default" onClick={() => setWanted(now)}>
            {text.reset}
          </Button>
        </Group>
      )}
    </>
  );
}

function sorted(patterns: readonly string[] | null): readonly string[] | null {
  return patterns && [...patterns].sort();
}

function suggestions(known: readonly string[]): string[] {
  const prefixes = [...new Set(known.map(prefixOf))].map((prefix) => `${prefix}.*`);
  return [...new Set([...prefixes, ...known])];
}

/** Puts all of them back, this one changed; refused where somebody else changed any since. */
function useSave(scope: string, held: EditorProps["held"], wanted: readonly string[] | null, effect: AssignmentChange) {
  const text = useTexts(gameTexts);
  const ask = useConfirm();
  const queries = useQueryClient();
  const put = useMutation({
    mutationFn: () => {
      const { [scope]: _, ...others } = held.assignments;
      return putAssignments(wanted === null ? others : { ...others, [scope]: wanted }, held.etag);
    },
    onSettled: () =>
      Promise.all(
        [["assignments"], ["registry"], ["functions"], ["entities"]].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
  const asked = async () => {
    const where = scope.replace("|", " / ");
    const consequence = text.consequence(where, effect.lost.length, effect.won.length);
    const destructive = effect.lost.length > 0;
    if (await ask({ title: text.ask(where), consequence, act: text.save, destructive })) put.mutate();
  };
  return { put, ask: () => void asked() };
}

/** More than this are counted, not named. */
const MOST = 40;

function Effect({ effect: { lost, won } }: { effect: AssignmentChange }) {
  const text = useTexts(gameTexts);
  if (lost.length + won.length === 0) return <Text>{text.nothing}</Text>;
  const named = (ids: readonly string[]) => ids.slice(0, MOST).join(", ") + (ids.length > MOST ? " …" : "");
  return (
    <Alert color={lost.length ? "orange" : "blue"}>
      {lost.length > 0 && (
        <Text style={{ overflowWrap: "anywhere" }}>
          <b>{text.lost(lost.length)}</b>: {named(lost)}
        </Text>
      )}
      {won.length > 0 && (
        <Text style={{ overflowWrap: "anywhere" }}>
          <b>{text.won(won.length)}</b>: {named(won)}
        </Text>
      )}
    </Alert>
  );
}
