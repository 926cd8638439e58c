import { Text } from "@mantine/core";
import { JsonView } from "./json/JsonView";

/** An answer that is not what its view draws: says so, and shows it as it is. */
export function Mismatch({ message, value }: { message: string; value: unknown }) {
  return (
    <div role="note">
      <Text c="dimmed">{message}</Text>
      <JsonView value={value} />
    </div>
  );
}
