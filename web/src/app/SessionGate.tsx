import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { meQuery } from "#/api/session";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { SignIn } from "#/pages/login/SignIn";
import { shellTexts } from "./texts";

/** Shows the page to whoever is signed in. When a session ends the sign-in comes up over the page, and nothing typed is lost. */
export function SessionGate({ children }: { children: ReactNode }) {
  const text = useTexts(shellTexts);
  const me = useQuery(meQuery);
  const [shown, setShown] = useState(false);
  if (me.data && !shown) setShown(true);
  if (me.isPending) return <Waiting />;
  if (me.isError && !me.data) return <ProblemBox error={me.error} again={() => void me.refetch()} />;
  if (!shown) return <SignIn page />;
  return (
    <>
      {children}
      <Modal opened={!me.data} onClose={() => undefined} withCloseButton={false} title={text.sessionEnded} centered>
        <SignIn />
      </Modal>
    </>
  );
}
