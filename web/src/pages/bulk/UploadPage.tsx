import { Alert, Button, Grid, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { useScope } from "#/app/scope";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { Expected } from "./Expected";
import { FileField, type Given, NOTHING_GIVEN } from "./FileField";
import { upload } from "./queries";
import { bulkTexts } from "./texts";

/** A file and the function that each of its rows is an argument of. */
export function UploadPage() {
  const text = useTexts(bulkTexts);
  const scope = useScope();
  const { fn = "" } = useSearch({ from: "/shell/bulk/new" });
  const navigate = useNavigate({ from: "/bulk/new" });
  const [name, setName] = useState("");
  const [given, setGiven] = useState<Given>(NOTHING_GIVEN);
  const content = given.file ?? given.pasted;
  const send = useMutation({
    mutationFn: () => upload(fn, name || given.file?.name || "", content, given.format),
    onSuccess: (made) => void navigate({ to: "/bulk/$bulkId", params: { bulkId: made.bulk_id } }),
  });
  const complete = Boolean(
    fn && scope.game && scope.env && (given.file?.size || given.pasted.trim()) && !given.tooLarge,
  );
  return (
    <>
      <PageHeader title={text.new.title} detail={text.new.detail} />
      <Grid px="md" pb="xl" gap="xl">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              send.mutate();
            }}
          >
            <Stack gap="sm">
              {!(scope.game && scope.env) && <Alert color="yellow">{text.new.scopeMissing}</Alert>}
              <FunctionField value={fn} onChange={(fn) => void navigate({ search: fn ? { fn } : {}, replace: true })} />
              <FileField given={given} onChange={setGiven} />
              <TextInput
                label={text.new.name}
                description={text.new.nameHint}
                value={name}
                maxLength={256}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              {send.isError && <ProblemBox error={send.error} />}
              <Group>
                <Button type="submit" disabled={!complete} loading={send.isPending}>
                  {text.new.check}
                </Button>
                {scope.game && (
                  <Text c="dimmed">
                    {scope.game} / {scope.env}
                  </Text>
                )}
              </Group>
            </Stack>
          </form>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          {fn && (
            <Section title={text.new.expected} hint={text.new.expectedHint}>
              <Expected functionId={fn} />
            </Section>
          )}
        </Grid.Col>
      </Grid>
    </>
  );
}

interface Described {
  readonly id?: string;
  readonly display_name?: { en?: string; zh?: string };
  readonly semantics?: { readonly returns?: string };
}

function FunctionField({ value, onChange }: { value: string; onChange: (fn: string) => void }) {
  const text = useTexts(bulkTexts);
  const language = useLanguage();
  const scope = useScope();
  const functions = useQuery({
    queryKey: ["descriptors", "callable", scope.game, scope.env],
    queryFn: async ({ signal }) => (await body(api.GET("/api/descriptors", { signal }))) as readonly Described[],
  });
  // A job runs by itself and for long: it is no row's work.
  const known = (functions.data ?? []).filter(({ id, semantics }) => id && semantics?.returns !== "job");
  const options = known.map(({ id = "", display_name }) => {
    const said = inLanguage(display_name, language);
    return { value: id, label: said ? `${said} · ${id}` : id };
  });
  const all =
    value && !options.some((option) => option.value === value) ? [...options, { value, label: value }] : options;
  return (
    <>
      <Select
        label={text.new.function}
        description={text.new.functionHint}
        data={all}
        value={value || null}
        onChange={(fn) => onChange(fn ?? "")}
        searchable
        required
      />
      {functions.isError && <ProblemBox error={functions.error} again={() => void functions.refetch()} />}
    </>
  );
}
