import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#edf2ff",
  "#dbe4ff",
  "#bac8ff",
  "#91a7ff",
  "#748ffc",
  "#5c7cfa",
  "#4263eb",
  "#3b5bdb",
  "#364fc7",
  "#2f44ad",
];

const SMALL = { defaultProps: { size: "xs" } } as const;

/** Dense: 12-px text, 24-px rows. One accent; every other colour is a state. */
export const theme = createTheme({
  respectReducedMotion: true,
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  colors: { accent },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  fontSizes: { xs: "12px", sm: "12.5px", md: "13px", lg: "15px", xl: "18px" },
  lineHeights: { xs: "1.4", sm: "1.4", md: "1.45", lg: "1.4", xl: "1.3" },
  spacing: { xs: "6px", sm: "10px", md: "14px", lg: "18px", xl: "24px" },
  defaultRadius: "sm",
  headings: { sizes: { h1: { fontSize: "16px" }, h2: { fontSize: "14px" }, h3: { fontSize: "13px" } } },
  components: {
    Button: SMALL,
    ActionIcon: { defaultProps: { size: "sm", variant: "subtle" } },
    TextInput: SMALL,
    PasswordInput: SMALL,
    NumberInput: SMALL,
    Textarea: SMALL,
    NativeSelect: SMALL,
    Select: { defaultProps: { size: "xs", comboboxProps: { shadow: "md" } } },
    MultiSelect: { defaultProps: { size: "xs", comboboxProps: { shadow: "md" } } },
    TagsInput: SMALL,
    Autocomplete: SMALL,
    Checkbox: SMALL,
    Radio: SMALL,
    Switch: SMALL,
    SegmentedControl: SMALL,
    FileInput: SMALL,
    DateInput: SMALL,
    DatePickerInput: SMALL,
    DateTimePicker: SMALL,
    TimePicker: SMALL,
    Badge: { defaultProps: { size: "sm", variant: "light", radius: "sm", tt: "none", fw: 600 } },
    Table: { defaultProps: { verticalSpacing: 3, horizontalSpacing: 8, fz: "xs" } },
    Tabs: { styles: { tab: { padding: "6px 12px", fontSize: "12px" } } },
    Modal: { defaultProps: { padding: "md", overlayProps: { backgroundOpacity: 0.35 } } },
    // A header within a dialog is no second banner of the page.
    ModalHeader: { defaultProps: { role: "presentation" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Text: { defaultProps: { size: "xs" } },
    Anchor: { defaultProps: { size: "xs" } },
  },
});
