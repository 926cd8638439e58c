import { useDebouncedCallback } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { forgetTyped, keepTyped, leftForm, typedBefore } from "#/app/typed";
import { parseJson, toJson } from "#/forms/exactJson";

/** An address longer than this is cut by chat programs. */
const MOST_IN_ADDRESS = 1_500;
const WRITE_AFTER = 500;

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The page wrote this address itself, from what was typed. */
    typed?: boolean;
  }
}

interface Given {
  /** The form's name in this tab: game, env and function. */
  readonly form: string;
  /** The arguments of the address. */
  readonly args: string | undefined;
  /** Those of the recorded call that the address names. */
  readonly recorded: unknown;
  readonly first: unknown;
  /** Whether the form asks for secrets: those stand in no address and stay nowhere. */
  readonly secret: boolean;
}

/** The arguments being typed: from the address, a recorded call, what was typed before, or the form's defaults; and back into the address. */
export function useArguments(given: Given) {
  const [value, setValue] = useState(() => begin(given));
  const { form, first, secret } = given;
  const navigate = useNavigate();
  const write = useDebouncedCallback((text: string | undefined) => {
    // Only what was typed changes; whatever else the address has stays.
    const search = (now: Record<string, unknown>) => ({ ...now, args: text, call: undefined }) as never;
    void navigate({ to: ".", search, replace: true, state: { typed: true } });
  }, WRITE_AFTER);
  useEffect(() => () => leftForm(form), [form]);
  const change = useCallback(
    (changed: unknown) => {
      setValue(changed);
      const text = toJson(changed);
      keepTyped(form, text, !secret);
      const shown = !secret && text.length <= MOST_IN_ADDRESS && text !== toJson(first);
      write(shown ? text : undefined);
    },
    [form, first, secret, write],
  );
  const reset = useCallback(() => {
    setValue(first);
    forgetTyped(form);
    write(undefined);
  }, [first, form, write]);
  return { value, change, reset };
}

function begin({ form, args, recorded, first }: Given): unknown {
  if (recorded !== undefined) return recorded;
  return readJson(args) ?? readJson(typedBefore(form)) ?? first;
}

/** undefined for what is no JSON: an address may say anything. */
function readJson(text: string | null | undefined): unknown {
  if (!text) return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
