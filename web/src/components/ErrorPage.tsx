import { Anchor, Box, Button, Code, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { ProblemError, Unreachable } from "#/api/problem";
import { useTexts } from "#/i18n/texts";
import { ProblemBox } from "./ProblemBox";
import { commonTexts } from "./texts";

/** In place of a page that failed; the rest of the shell goes on. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const text = useTexts(commonTexts);
  const router = useRouter();
  // What failed to load is loaded anew; drawing it again alone would show the same failure.
  const again = () => void router.invalidate().then(reset);
  if (error instanceof ProblemError || error instanceof Unreachable) {
    return (
      <Box p="md">
        <ProblemBox error={error} again={again} />
      </Box>
    );
  }
  return (
    <Stack p="md" gap="xs" role="alert">
      <Title order={1}>{text.broken}</Title>
      <Text>{text.brokenHint}</Text>
      <Code block>{String(error)}</Code>
      <Button w="fit-content" onClick={() => globalThis.location.reload()}>
        {text.reload}
      </Button>
    </Stack>
  );
}

export function NotFoundPage() {
  const text = useTexts(commonTexts);
  return (
    <Stack p="md" gap="xs">
      <Title order={1}>{text.notFound}</Title>
      <Text>{text.notFoundHint}</Text>
      <Anchor component={Link} to="/">
        {text.toStart}
      </Anchor>
    </Stack>
  );
}
