import { Skeleton, Stack, VisuallyHidden } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

/** The shape of what comes, never a bare spinner. */
export function Waiting({ rows = 6 }: { rows?: number }) {
  const text = useTexts(commonTexts);
  return (
    <Stack gap="xs" p="md" role="status" aria-busy="true">
      <VisuallyHidden>{text.loading}</VisuallyHidden>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows of a skeleton have nothing but their place
        <Skeleton key={row} height={14} width={`${90 - ((row * 17) % 40)}%`} radius="sm" />
      ))}
    </Stack>
  );
}
