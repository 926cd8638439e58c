import { Kbd, Modal, Table } from "@mantine/core";
import { Fragment } from "react";
import { useTexts } from "#/i18n/texts";
import { useNavigation } from "./NavigationBar";
import { shellTexts } from "./texts";

/** Every key of the page. */
export function ShortcutSheet({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const text = useTexts(shellTexts);
  const items = useNavigation();
  const keys: readonly (readonly [string, string])[] = [
    ["Ctrl+K", text.sheet.palette],
    ["/", text.sheet.filter],
    ["Ctrl+Enter", text.sheet.invoke],
    ["Alt+J", text.sheet.json],
    ["j k", text.sheet.rows],
    ["Enter", text.sheet.open],
    ["x", text.sheet.select],
    ["?", text.sheet.sheet],
    ["Esc", text.sheet.close],
  ];
  const going = items.map((item) => [`g ${item.key}`, text.pages[item.label]] as const);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={text.keys.sheet}
      size="lg"
      centered
      closeButtonProps={{ "aria-label": text.sheet.close }}
    >
      <div className="sheet">
        <Keys rows={keys} />
        <Keys rows={going} />
      </div>
    </Modal>
  );
}

function Keys({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return (
    <Table withRowBorders={false}>
      <Table.Tbody>
        {rows.map(([keys, does]) => (
          <Table.Tr key={keys}>
            <Table.Td style={{ whiteSpace: "nowrap" }}>
              {keys.split(" ").map((key, at) => (
                <Fragment key={key}>
                  {at > 0 && " "}
                  <Kbd>{key}</Kbd>
                </Fragment>
              ))}
            </Table.Td>
            <Table.Td>{does}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
