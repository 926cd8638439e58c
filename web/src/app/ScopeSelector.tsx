import { SegmentedControl, Select } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { meQuery } from "#/api/session";
import { useTexts } from "#/i18n/texts";
import { isProductionOf } from "./production";
import { useChangePage, useScope } from "./scope";
import { shellTexts } from "./texts";

/** More than these are chosen from a list. */
const MOST_SEGMENTS = 5;

/** The game and environment that the page stands in. One of a link that the server does not name is shown all the same. */
export function ScopeSelector() {
  const text = useTexts(shellTexts);
  const { game, env } = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  const change = useChangePage();
  const games = me?.games ?? [];
  const envsOf = (name: string) => games.find((each) => each.game_id === name)?.envs.map((each) => each.env) ?? [];
  // Development comes before production, whatever their names.
  const ordered = (name: string) =>
    withIt(envsOf(name), name === game ? env : "").toSorted(
      (a, b) => Number(isProductionOf(me, name, a)) - Number(isProductionOf(me, name, b)),
    );
  const go = (chosen: string) => {
    const envs = envsOf(chosen);
    change({ game: chosen, env: envs.includes(env) ? env : (envs[0] ?? env) });
  };
  return (
    <>
      <Select
        aria-label={text.game}
        w={150}
        searchable={games.length > 8}
        allowDeselect={false}
        placeholder={text.noGame}
        data={withIt(
          games.map((each) => each.game_id),
          game,
        )}
        value={game || null}
        onChange={(chosen) => chosen && go(chosen)}
      />
      <EnvSwitch
        envs={ordered(game)}
        env={env}
        production={(name) => isProductionOf(me, game, name)}
        onChange={(chosen) => change({ env: chosen })}
      />
    </>
  );
}

interface EnvSwitchProps {
  readonly envs: string[];
  readonly env: string;
  readonly production: (env: string) => boolean;
  readonly onChange: (env: string) => void;
}

function EnvSwitch({ envs, env, production, onChange }: EnvSwitchProps) {
  const text = useTexts(shellTexts);
  const color = production(env) && { color: "red" };
  if (!envs.length) return null;
  if (envs.length > MOST_SEGMENTS) {
    return (
      <Select
        aria-label={text.env}
        w={110}
        searchable
        allowDeselect={false}
        data={envs}
        value={env}
        onChange={(chosen) => chosen && onChange(chosen)}
        error={production(env)}
      />
    );
  }
  return (
    <SegmentedControl
      aria-label={text.env}
      data={envs}
      value={env}
      onChange={onChange}
      className="env-switch"
      data-production={production(env) || undefined}
      {...color}
    />
  );
}

function withIt(names: string[], name: string): string[] {
  return name && !names.includes(name) ? [...names, name] : names;
}
