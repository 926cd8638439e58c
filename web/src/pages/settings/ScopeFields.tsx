import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTexts } from "#/i18n/texts";
import { gamesQuery } from "#/pages/access/queries";
import { settingsTexts } from "./texts";

export interface Where {
  readonly game_id: string;
  readonly env: string;
}

/** A game and an environment; empty is all of them. */
export function ScopeFields({ value, onChange }: { value: Where; onChange: (value: Where) => void }) {
  const text = useTexts(settingsTexts);
  const games = useQuery(gamesQuery);
  const game = games.data?.games.find((game) => game.game_id === value.game_id);
  return (
    <>
      <Autocomplete
        label={text.game}
        placeholder={text.all}
        w={110}
        data={games.data?.games.map((game) => game.game_id) ?? []}
        value={value.game_id}
        onChange={(game_id) => onChange({ game_id, env: "" })}
      />
      <Autocomplete
        label={text.env}
        placeholder={text.all}
        w={90}
        data={game?.envs.map((env) => env.env) ?? []}
        value={value.env}
        onChange={(env) => onChange({ ...value, env })}
      />
    </>
  );
}

export function useWhereText(): (where: Where) => string {
  const { all } = useTexts(settingsTexts);
  return ({ game_id, env }) => `${game_id && game_id !== "*" ? game_id : all} / ${env && env !== "*" ? env : all}`;
}
