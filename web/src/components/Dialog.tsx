import { Modal, type ModalProps } from "@mantine/core";
import { useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

/** A modal window whose cross says what it does to whoever cannot see it. */
export function Dialog(props: ModalProps) {
  const text = useTexts(commonTexts);
  return <Modal closeButtonProps={{ "aria-label": text.close }} {...props} />;
}
