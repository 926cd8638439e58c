import { Alert, Anchor, Button, Text } from "@mantine/core";
import { IconArrowBackUp } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useScope } from "#/app/scope";
import { RiskBadge } from "#/components/badges";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { type FunctionSheet, nameOf } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { checkForm, FormEditor, firstValue } from "#/schema-form";
import { ActBar } from "./ActBar";
import { CopyLink } from "./CopyLink";
import { type Faults, faultsOf } from "./faults";
import { ResultPane } from "./result/ResultPane";
import type { WorkbenchSearch } from "./routes";
import { placeOf, useRuns } from "./runs";
import { asksSecrets, mannerOf } from "./sheet";
import { workbenchTexts } from "./texts";
import { useArguments } from "./useArguments";
import { InLastPane } from "./WorkbenchPage";

interface Props {
  readonly sheet: FunctionSheet;
  readonly search: WorkbenchSearch;
  readonly recorded: unknown;
  readonly recordedError: unknown;
}

/** The form of a function, what will happen when it is sent, and what came of it. */
export function FunctionDesk({ sheet, search, recorded, recordedError }: Props) {
  const { game, env } = useScope();
  const { schema, uischema } = sheet;
  const place = placeOf(game, env, sheet.function.id);
  const [first] = useState(() => firstValue(schema, uischema));
  const [secret] = useState(() => asksSecrets(schema, uischema));
  const typed = useArguments({ form: place, args: search.args, recorded, first, secret });
  const [shown, setShown] = useState<Faults>([]);
  const run = useRuns(place)[0];
  const told = useMemo(() => faultsOf(run?.error), [run?.error]);
  /** What is sent, or null where it cannot be: the faults are then beside their fields. */
  const check = () => {
    const { pruned, faults } = checkForm(schema, uischema, typed.value);
    setShown(faults);
    return faults.length ? null : { payload: pruned };
  };
  const change = (value: unknown) => {
    if (shown.length) setShown([]);
    typed.change(value);
  };
  return (
    <>
      <Head sheet={sheet} onReset={typed.reset} />
      <div className="desk-form">
        {Boolean(recordedError) && <ProblemBox error={recordedError} />}
        <WrongDescription faults={sheet.faults} />
        {search.call && !recordedError && <RecordedCall id={search.call} />}
        <FormEditor
          schema={schema}
          ui={uischema}
          value={typed.value}
          onChange={change}
          faults={shown.length ? shown : told}
        />
      </div>
      <ActBar sheet={sheet} manner={mannerOf(sheet)} value={typed.value} check={check} search={search} />
      <InLastPane>
        <ResultPane sheet={sheet} />
      </InLastPane>
    </>
  );
}

/** What was said of the function and cannot be used, where its form would be. */
function WrongDescription({ faults }: { faults: FunctionSheet["faults"] }) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  if (faults.length === 0) return null;
  return (
    <Alert color="orange" mb="xs" title={text.wrongDescription}>
      <ul className="desk-faults">
        {faults.map(({ file, path, message }) => (
          <li key={`${file} ${path}`}>
            <code>{path}</code> {inLanguage(message, language)} <Text span>({file})</Text>
          </li>
        ))}
      </ul>
    </Alert>
  );
}

function RecordedCall({ id }: { id: string }) {
  const text = useTexts(workbenchTexts);
  return (
    <Text mb={6}>
      {text.recordedArguments}{" "}
      <Anchor component={Link} to={`/calls/${encodeURIComponent(id)}`} className="mono" title={text.openCall}>
        {id}
      </Anchor>
    </Text>
  );
}

function Head({ sheet, onReset }: { sheet: FunctionSheet; onReset: () => void }) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  const entry = sheet.function;
  const summary = inLanguage(entry.summary, language);
  return (
    <>
      <PageHeader
        title={nameOf(entry, language)}
        badges={<RiskBadge risk={entry.risk} />}
        detail={
          <span className="desk-detail">
            {[entry.id, entry.version && `v${entry.version}`, text.servers(entry.healthy, entry.total)]
              .filter(Boolean)
              .join(" · ")}
          </span>
        }
      >
        <Button variant="subtle" leftSection={<IconArrowBackUp size={14} />} onClick={onReset}>
          {text.reset}
        </Button>
        <CopyLink />
      </PageHeader>
      {summary && (
        <Text px="md" pb={4} c="dimmed">
          {summary}
        </Text>
      )}
      {!entry.enabled && (
        <Alert color="orange" mx="md" my={4}>
          {text.disabledHint}
        </Alert>
      )}
      {entry.enabled && entry.healthy === 0 && (
        <Alert color="orange" mx="md" my={4}>
          {text.nobodyThere}
        </Alert>
      )}
    </>
  );
}
