import { Button, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { entityTexts } from "./texts";
import type { Deed } from "./things";

interface Props {
  readonly deeds: readonly Deed[];
  /** The function whose form is open. */
  readonly chosen: string | undefined;
  readonly onChoose: (functionId: string) => void;
}

/** More than this go into a menu. */
const MOST = 5;

/** What can be done, each opening its form; what is dangerous is red. */
export function DeedButtons({ deeds, chosen, onChoose }: Props) {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  const nameOf = (deed: Deed) =>
    inLanguage(deed.label, language) || inLanguage(deed.display_name, language, deed.verb || deed.function_id);
  const rest = deeds.slice(MOST);
  return (
    <>
      {deeds.slice(0, MOST).map((deed) => (
        <Button
          key={deed.function_id}
          variant="light"
          {...(deed.danger && { color: "red" })}
          disabled={deed.healthy === 0}
          title={deed.healthy === 0 ? text.nobody : deed.function_id}
          aria-pressed={chosen === deed.function_id}
          {...(chosen === deed.function_id && { style: { boxShadow: "inset 0 0 0 2px currentColor" } })}
          onClick={() => onChoose(deed.function_id)}
        >
          {nameOf(deed)}
        </Button>
      ))}
      {rest.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<IconDots size={14} aria-hidden />}>
              {text.more}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={420} style={{ overflow: "auto" }}>
            {rest.map((deed) => (
              <Menu.Item
                key={deed.function_id}
                {...(deed.danger && { color: "red" })}
                disabled={deed.healthy === 0}
                onClick={() => onChoose(deed.function_id)}
              >
                {nameOf(deed)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
