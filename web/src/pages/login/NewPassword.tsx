import { PasswordInput } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { loginTexts } from "./texts";

/** As /api/setup and /api/me/password ask for. */
export const SHORTEST_PASSWORD = 10;

export interface Chosen {
  readonly password: string;
  readonly repeated: string;
}

export const NOTHING_CHOSEN: Chosen = { password: "", repeated: "" };

export function isChosen({ password, repeated }: Chosen): boolean {
  return password.length >= SHORTEST_PASSWORD && password === repeated;
}

/** A new password, twice. */
export function NewPassword({ value, onChange }: { value: Chosen; onChange: (value: Chosen) => void }) {
  const text = useTexts(loginTexts);
  const differ = value.repeated !== "" && value.repeated !== value.password;
  return (
    <>
      <PasswordInput
        label={text.password}
        description={text.setup.passwordHint}
        autoComplete="new-password"
        required
        minLength={SHORTEST_PASSWORD}
        value={value.password}
        onChange={(event) => onChange({ ...value, password: event.currentTarget.value })}
      />
      <PasswordInput
        label={text.setup.repeat}
        autoComplete="new-password"
        required
        value={value.repeated}
        error={differ && text.setup.differ}
        onChange={(event) => onChange({ ...value, repeated: event.currentTarget.value })}
      />
    </>
  );
}
