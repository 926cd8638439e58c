import { Alert, Badge, Code, Group, List, Stack, Text } from "@mantine/core";
import { Section } from "#/components/Section";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { ChangeTable, type DescriptionChange } from "#/pages/registry/ChangeTable";
import { VerdictBadge } from "#/pages/registry/VerdictBadge";
import { FaultTable } from "./FaultTable";
import type { PackChange, PackStep } from "./queries";
import { packTexts } from "./texts";

/** What an import does, or would do: pack by pack, file by file, description by description. */
export function ChangeView({ change }: { change: PackChange }) {
  const text = useTexts(packTexts);
  return (
    <Stack gap="md">
      <Obstacles change={change} />
      {change.faults.length > 0 && (
        <Section title={text.faults}>
          <FaultTable faults={change.faults} label={text.faults} />
        </Section>
      )}
      {change.packs.map((step) => (
        <Step key={step.name} step={step} />
      ))}
    </Stack>
  );
}

function Obstacles({ change: { obstacles } }: { change: PackChange }) {
  const text = useTexts(packTexts);
  const language = useLanguage();
  if (obstacles.length === 0) return null;
  return (
    <Alert color="orange" title={text.obstacles} role="alert">
      <List size="xs">
        {obstacles.map(({ kind, pack, other, subject, message }) => (
          <List.Item key={`${kind} ${pack} ${other} ${subject}`} style={{ overflowWrap: "anywhere" }}>
            <b>{(text.kinds as Record<string, string>)[kind] ?? kind}</b>: {inLanguage(message, language)}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function Step({ step }: { step: PackStep }) {
  const text = useTexts(packTexts);
  const versions = [step.old_version, step.new_version].filter(Boolean).join(" → ");
  return (
    <Section
      title={`${step.name} ${versions}`}
      hint={
        <Group gap={6}>
          <Badge color="gray">{(text.actions as Record<string, string>)[step.action] ?? step.action}</Badge>
          <VerdictBadge verdict={step.verdict} />
          <span>
            {text.signedBy}: {step.signed_by || text.unsigned}
          </span>
        </Group>
      }
    >
      <Descriptions step={step} />
      <Files step={step} />
      {step.notes.length > 0 && <FaultTable faults={step.notes} label={text.notes} />}
    </Section>
  );
}

function Descriptions({ step }: { step: PackStep }) {
  const text = useTexts(packTexts);
  return step.descriptions.map(({ id, what, verdict, changes }) => (
    <div key={id}>
      <Group gap={6} mb={4}>
        <Text ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {id}
        </Text>
        <Text>{(text.what as Record<string, string>)[what] ?? what}</Text>
        <VerdictBadge verdict={verdict} />
      </Group>
      {changes.length > 0 && <ChangeTable changes={changes.map(readChange)} />}
    </div>
  ));
}

function readChange(change: Record<string, unknown>): DescriptionChange {
  const { path, what, breaking, why } = change as Partial<DescriptionChange>;
  return { path: path ?? "", what: what ?? "", breaking: breaking === true, why: why ?? {} };
}

const MOST_FILES = 200;

function Files({ step: { files } }: { step: PackStep }) {
  const text = useTexts(packTexts);
  if (files.length === 0) return null;
  return (
    <details>
      <summary>{text.filesChanged(files.length)}</summary>
      <List size="xs" mt={4}>
        {files.slice(0, MOST_FILES).map(({ name, what }) => (
          <List.Item key={name} style={{ overflowWrap: "anywhere" }}>
            <Code>{name}</Code> {(text.what as Record<string, string>)[what] ?? what}
          </List.Item>
        ))}
        {files.length > MOST_FILES && <List.Item>… {files.length - MOST_FILES}</List.Item>}
      </List>
    </details>
  );
}
