import { Alert, Button, Checkbox, FileButton, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Waiting } from "#/components/Waiting";
import { useLocale, useTexts } from "#/i18n/texts";
import { bytes } from "#/views";
import { ChangeView } from "./ChangeView";
import { importPack, type PackChange, packsQuery } from "./queries";
import { packTexts } from "./texts";

const LARGEST = 10_000_000;

/** An archive is looked at first, and installed as what was looked at. */
export function InstallTab() {
  const text = useTexts(packTexts);
  const [file, setFile] = useState<File | null>(null);
  const [replaces, setReplaces] = useState<readonly string[]>([]);
  const queries = useQueryClient();
  const look = useMutation({
    mutationFn: ({ file, replaces }: { file: File; replaces: readonly string[] }) =>
      importPack({ file, replaces, dryRun: true, etag: "" }),
  });
  const install = useMutation({
    mutationFn: (given: { file: File; replaces: readonly string[]; etag: string }) =>
      importPack({ ...given, dryRun: false }),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: packsQuery.queryKey }),
        queries.invalidateQueries({ queryKey: ["catalog"] }),
      ]),
  });
  const begin = (file: File | null, replaces: readonly string[] = []) => {
    setFile(file);
    setReplaces(replaces);
    install.reset();
    look.reset();
    if (file && file.size <= LARGEST) look.mutate({ file, replaces });
  };
  if (install.data?.accepted) return <Done change={install.data} again={() => begin(null)} />;
  return (
    <Stack gap="md">
      <Archive file={file} onFile={begin} />
      <div aria-live="polite">
        {look.isPending && <Waiting rows={4} />}
        {look.error && <ProblemBox error={look.error} again={() => begin(file, replaces)} />}
        {install.error && <ProblemBox error={install.error} again={() => begin(file, replaces)} />}
        {file && look.data && (
          <Section title={text.look} hint={text.looking}>
            <ChangeView change={look.data} />
            <Replacing change={look.data} chosen={replaces} onChange={(names) => begin(file, names)} />
            <Act
              change={look.data}
              busy={install.isPending}
              act={() => install.mutate({ file, replaces, etag: look.data.etag })}
            />
          </Section>
        )}
      </div>
    </Stack>
  );
}

function Done({ change, again }: { change: PackChange; again: () => void }) {
  const text = useTexts(packTexts);
  return (
    <Stack gap="md">
      <Alert color="green" title={text.done} role="status">
        <Button variant="default" onClick={again}>
          {text.again}
        </Button>
      </Alert>
      <ChangeView change={change} />
    </Stack>
  );
}

function Archive({ file, onFile }: { file: File | null; onFile: (file: File | null) => void }) {
  const text = useTexts(packTexts);
  const locale = useLocale();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    onFile(event.dataTransfer.files[0] ?? null);
  };
  return (
    <fieldset
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
      style={{ border: "1px dashed var(--mantine-color-gray-6)", borderRadius: 4, padding: 12, margin: 0 }}
    >
      <legend style={{ padding: "0 4px" }}>{text.archive}</legend>
      <Group gap="xs">
        <Text>{text.drop}</Text>
        <FileButton onChange={onFile} accept=".tgz,.tar.gz,.gz,application/gzip">
          {(props) => (
            <Button {...props} variant="default">
              {text.choose}
            </Button>
          )}
        </FileButton>
        <Text c="dimmed">{text.fileHint}</Text>
      </Group>
      <Text aria-live="polite" mt={4} fw={600} style={{ overflowWrap: "anywhere" }}>
        {file && `${file.name} · ${bytes(file.size, locale)}`}
      </Text>
      {file && file.size > LARGEST && (
        <Text c="red" role="alert">
          {text.tooLarge}
        </Text>
      )}
    </fieldset>
  );
}

interface ReplacingProps {
  readonly change: PackChange;
  readonly chosen: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}

/** Packs that offer the same can leave with it. */
function Replacing({ change, chosen, onChange }: ReplacingProps) {
  const text = useTexts(packTexts);
  const coming = new Set(change.packs.map(({ name }) => name));
  const conflicts = change.obstacles
    .filter(({ kind }) => kind === "conflict")
    .flatMap(({ pack, other }) => [pack, other]);
  const names = [...new Set([...chosen, ...conflicts.filter((name) => name && !coming.has(name))])];
  return names.map((name) => (
    <Checkbox
      key={name}
      label={text.replaces(name)}
      checked={chosen.includes(name)}
      onChange={(event) =>
        onChange(event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
      }
    />
  ));
}

function Act({ change, busy, act }: { change: PackChange; busy: boolean; act: () => void }) {
  const text = useTexts(packTexts);
  const ask = useConfirm();
  const changed = change.packs.filter(({ action }) => action !== "unchanged").length;
  const breaking = change.packs
    .flatMap((step) => step.descriptions)
    .filter((each) => each.verdict === "breaking").length;
  const asked = async () => {
    const consequence = text.consequence.install(changed, breaking);
    if (await ask({ title: text.ask.install, consequence, act: text.act, destructive: breaking > 0 })) act();
  };
  return (
    <Group gap="xs">
      <Button onClick={() => void asked()} loading={busy} disabled={!change.accepted || changed === 0}>
        {text.act}
      </Button>
      {!change.accepted && <Text>{text.refused}</Text>}
    </Group>
  );
}
