import { Alert, Anchor, Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { useTexts } from "#/i18n/texts";
import { type Document, scopeOf } from "./queries";
import { approvalTexts } from "./texts";

type Deed = "approve" | "reject" | "withdraw" | "comment" | "review";

/** How long a proof of identity counts (docs/reference/approvals.md). */
const PROOF_MS = 5 * 60_000;

export function Decide({ approval }: { approval: Document }) {
  const text = useTexts(approvalTexts);
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const [comment, setComment] = useState("");
  const [code, setCode] = useState("");
  const act = useDeed(approval, code, () => {
    setComment("");
    setCode("");
  });
  const own = approval.requester === me?.name || approval.requester === me?.user?.name;
  const pending = approval.state === "pending";
  const reviewing = approval.review === "open" && !own && may(me, "approvals:decide");
  const deciding = pending && approval.may_decide;
  const send = (deed: Deed) => act.mutate({ deed, comment });
  const approve = async () => {
    const consequence = text.approveConsequence(approval.function_id, scopeOf(approval), approval.requester);
    if (await ask({ title: text.askApprove, consequence, act: text.approve })) send("approve");
  };
  const withdraw = async () => {
    const consequence = text.withdrawConsequence(approval.function_id);
    if (await ask({ title: text.askWithdraw, consequence, act: text.withdraw, destructive: true })) send("withdraw");
  };
  const withdrawable = own && (pending || approval.state === "approved");
  return (
    <Section title={text.decide}>
      <Stack gap="xs">
        {pending && own && <Text>{text.own}</Text>}
        {pending && !own && !approval.may_decide && <Text>{text.notYours}</Text>}
        {reviewing && <Text>{text.reviewHint}</Text>}
        <Textarea
          label={text.comment}
          description={deciding ? text.commentHint : undefined}
          autosize
          minRows={2}
          maxRows={10}
          maxLength={4000}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {deciding && approval.proof && <Proof code={code} onChange={setCode} />}
        {act.error && <ProblemBox error={act.error} />}
        <Group gap="xs">
          {deciding && (
            <>
              <Button color="teal.9" loading={act.isPending} onClick={() => void approve()}>
                {text.approve}
              </Button>
              <Button color="red" loading={act.isPending} disabled={!comment.trim()} onClick={() => send("reject")}>
                {text.reject}
              </Button>
            </>
          )}
          {withdrawable && (
            <Button variant="default" onClick={() => void withdraw()}>
              {text.withdraw}
            </Button>
          )}
          {reviewing && (
            <Button disabled={!comment.trim()} onClick={() => send("review")}>
              {text.closeReview}
            </Button>
          )}
          <Button variant="default" disabled={!comment.trim()} onClick={() => send("comment")}>
            {text.addComment}
          </Button>
        </Group>
      </Stack>
    </Section>
  );
}

/** Does what was decided; before an approval of high risk it proves who one is with `code`. */
function useDeed(approval: Document, code: string, done: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ deed, comment }: { deed: Deed; comment: string }) => {
      if (deed === "approve" && code) await body(api.POST("/api/me/prove", { body: { code } }));
      // The digest binds the approval to what was looked at.
      const said = deed === "approve" ? { comment, digest: approval.digest } : { comment };
      const options = { params: { path: { approval_id: approval.approval_id } }, body: said };
      return body(api.POST(`/api/approvals/{approval_id}/${deed}`, options));
    },
    onSuccess: done,
    onSettled: () => queries.invalidateQueries({ queryKey: ["approvals"] }),
  });
}

function Proof({ code, onChange }: { code: string; onChange: (code: string) => void }) {
  const text = useTexts(approvalTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  const standing = useQuery({
    queryKey: ["second-factor"],
    queryFn: ({ signal }) => body(api.GET("/api/me/second_factor", { signal })),
  });
  if (standing.data && !standing.data.enrolled) {
    return (
      <Alert color="orange">
        {text.noFactor}{" "}
        <Anchor component={Link} to="/me" c="inherit" underline="always">
          {text.toAccount}
        </Anchor>
      </Alert>
    );
  }
  if (me && Date.now() - me.proved_ms < PROOF_MS) return null;
  return (
    <TextInput
      label={text.code}
      description={text.codeHint}
      autoComplete="one-time-code"
      inputMode="numeric"
      w={220}
      value={code}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
