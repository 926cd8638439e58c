import { Select, TextInput } from "@mantine/core";
import { IconArrowsSplit2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, body } from "#/api/client";
import { useScope } from "#/app/scope";
import { useTexts } from "#/i18n/texts";
import { ROUTES, type RouteChoice, type RouteName } from "./routing";
import { workbenchTexts } from "./texts";

interface Props {
  readonly functionId: string;
  readonly choice: RouteChoice;
  readonly onChange: (choice: RouteChoice) => void;
  readonly isJob: boolean;
  readonly hashFrom: string;
}

/** Who receives the call: anybody, one game server, always the same for a key, or all of them. */
export function RouteSelect({ functionId, choice, onChange, isJob, hashFrom }: Props) {
  const text = useTexts(workbenchTexts);
  const routes = ROUTES.filter((route) => !(isJob && route === "broadcast"));
  return (
    <>
      <Select
        w={130}
        aria-label={text.route}
        leftSection={<IconArrowsSplit2 size={13} aria-hidden />}
        allowDeselect={false}
        data={routes.map((route) => ({ value: route, label: text.routes[route] }))}
        value={choice.route}
        onChange={(route) => route && onChange({ ...choice, route: route as RouteName })}
      />
      {choice.route === "targeted" && (
        <TargetSelect
          functionId={functionId}
          value={choice.target}
          onChange={(target) => onChange({ ...choice, target })}
        />
      )}
      {choice.route === "hash" && (
        <TextInput
          w={140}
          aria-label={text.hashKey}
          placeholder={hashFrom ? text.hashFrom(hashFrom) : text.hashKey}
          value={choice.hash}
          onChange={(event) => onChange({ ...choice, hash: event.currentTarget.value })}
        />
      )}
    </>
  );
}

interface TargetProps {
  readonly functionId: string;
  readonly value: string;
  readonly onChange: (serviceId: string) => void;
}

function TargetSelect({ functionId, value, onChange }: TargetProps) {
  const text = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const { data, error } = useQuery({
    queryKey: ["registry", "instances", game, env, functionId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/function_instances", { params: { query: { function_id: functionId } }, signal })),
  });
  // Who may not look at the registry writes the name.
  if (error) {
    return (
      <TextInput
        w={150}
        aria-label={text.gameServer}
        placeholder={text.gameServer}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  const names = [...new Set([...(data?.instances.map((each) => each.service_id) ?? []), ...(value ? [value] : [])])];
  return (
    <Select
      w={170}
      searchable
      aria-label={text.gameServer}
      placeholder={text.gameServer}
      nothingFoundMessage={text.nobodyThere}
      data={names}
      value={value || null}
      onChange={(chosen) => onChange(chosen ?? "")}
    />
  );
}
