/** One sentence in both languages that operators read. */
export interface Message {
  readonly en: string;
  readonly zh: string;
}

/** Names and indices into what was written: for a form, its UI schema. */
export type SpecPath = readonly (string | number)[];

export interface FormFault {
  readonly path: SpecPath;
  readonly message: Message;
}

export type Report = (path: SpecPath, message: Message) => void;

/** Something that cannot be read or evaluated; the message says what to do. */
export class FormError extends Error {
  override readonly name: string = "FormError";
}

const SHOWN = 20;

/** A form, a condition or a transform that cannot be used, with every fault in it. */
export class FaultyForm extends FormError {
  override readonly name = "FaultyForm";
  constructor(readonly faults: readonly FormFault[]) {
    const told = faults.slice(0, SHOWN).map((fault) => `${pointer(fault.path) || "/"}: ${fault.message.en}`);
    if (faults.length > SHOWN) told.push(`… and ${faults.length - SHOWN} more`);
    super(told.join("; "));
  }
}

/** One thing that is wrong with a value, as the server tells it. */
export interface ValueFault {
  /** A JSON pointer (RFC 6901); to the field itself where a field is missing or not allowed. */
  readonly path: string;
  /** The keyword of JSON Schema that is not kept. */
  readonly keyword: string;
  readonly message: Message;
}

/** An RFC 6901 JSON pointer. */
export function pointer(path: Iterable<string | number>): string {
  let text = "";
  for (const step of path) text += `/${escapeStep(String(step))}`;
  return text;
}

export function escapeStep(name: string): string {
  return name.includes("~") || name.includes("/") ? name.replaceAll("~", "~0").replaceAll("/", "~1") : name;
}

export function pointerSteps(text: string): string[] {
  return text
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
