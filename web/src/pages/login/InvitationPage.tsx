import { Alert, Anchor, Button, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { Door } from "./Door";
import { isChosen, NewPassword, NOTHING_CHOSEN } from "./NewPassword";
import { secretInAddress } from "./secret";
import { loginTexts } from "./texts";

/** `/invitation#SECRET`, as whoever made the account hands it over. */
export function InvitationPage() {
  const text = useTexts(loginTexts);
  const [invitation] = useState(secretInAddress);
  return (
    <Door title={text.invitation.title}>
      {invitation ? <InvitationForm invitation={invitation} /> : <Alert color="red">{text.invitation.noSecret}</Alert>}
    </Door>
  );
}

function InvitationForm({ invitation }: { invitation: string }) {
  const text = useTexts(loginTexts);
  const [chosen, setChosen] = useState(NOTHING_CHOSEN);
  const accept = useMutation({
    mutationFn: () => body(api.POST("/api/setup/password", { body: { invitation, password: chosen.password } })),
  });
  if (accept.data) {
    return (
      <Stack gap="sm">
        <Text role="status">{text.invitation.done(accept.data.name)}</Text>
        <Anchor component={Link} to="/login">
          {text.invitation.toSignIn}
        </Anchor>
      </Stack>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        accept.mutate();
      }}
    >
      <Stack gap="sm">
        <Text>{text.invitation.hint}</Text>
        <NewPassword value={chosen} onChange={setChosen} />
        {accept.error && <ProblemBox error={accept.error} />}
        <Button type="submit" loading={accept.isPending} disabled={!isChosen(chosen)}>
          {text.invitation.act}
        </Button>
      </Stack>
    </form>
  );
}
