import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import { useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

export interface Question {
  readonly title: string;
  /** Exactly what will happen, and to how many. */
  readonly consequence: ReactNode;
  /** What the button says: the act, not "OK". */
  readonly act: string;
  readonly destructive?: boolean;
  /** What must be typed before the button works, for acts that cannot be undone. */
  readonly word?: string;
}

type Ask = (question: Question) => Promise<boolean>;

const ConfirmContext = createContext<Ask>(() => Promise.resolve(false));

interface Asked extends Question {
  readonly answer: (yes: boolean) => void;
}

/** Within the page's language: a question is asked in it. */
export function ConfirmProvider({ children }: { children: ReactNode }) {
  const text = useTexts(commonTexts);
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask = useCallback<Ask>((question) => new Promise((answer) => setAsked({ ...question, answer })), []);
  const answer = (yes: boolean) => {
    asked?.answer(yes);
    setAsked(null);
  };
  return (
    <ConfirmContext value={ask}>
      {children}
      <Modal
        opened={asked !== null}
        onClose={() => answer(false)}
        title={asked?.title}
        centered
        closeButtonProps={{ "aria-label": text.close }}
      >
        {asked && <Dialog asked={asked} answer={answer} />}
      </Modal>
    </ConfirmContext>
  );
}

function Dialog({ asked, answer }: { asked: Asked; answer: (yes: boolean) => void }) {
  const text = useTexts(commonTexts);
  const [typed, setTyped] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        answer(true);
      }}
    >
      <Stack gap="sm">
        <Text component="div">{asked.consequence}</Text>
        {asked.word && (
          <TextInput
            data-autofocus
            label={text.typeToConfirm(asked.word)}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => answer(false)}>
            {text.cancel}
          </Button>
          <Button
            type="submit"
            {...(asked.destructive && { color: "red" })}
            disabled={asked.word !== undefined && typed !== asked.word}
          >
            {asked.act}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** `await ask({...})` before what cannot be taken back. */
export function useConfirm(): Ask {
  return useContext(ConfirmContext);
}
