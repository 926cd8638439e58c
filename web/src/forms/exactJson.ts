/** JSON that keeps every digit: whole numbers beyond 2^53 are `bigint`. Small, since the API's client carries it. */

/** A text or a number of JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE = /^-?\d{16,}$/;

/** Something typed that is not JSON, in the place of a value: it is kept and shown, and never sent. */
export class Unreadable {
  constructor(readonly text: string) {}
}

/** Throws SyntaxError for what is no JSON, and for a number that no program could hold. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const mark = unusedMark(text);
  let marked = false;
  const written = text.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return token;
    if (!Number.isFinite(Number(token)) && !WHOLE.test(token))
      throw new SyntaxError(`${token.slice(0, 40)} is too large`);
    if (!WHOLE.test(token) || Number.isSafeInteger(Number(token))) return token;
    marked = true;
    return `"${mark}${token}"`;
  });
  if (!marked) return value;
  return JSON.parse(written, (_, each: unknown) =>
    typeof each === "string" && each.startsWith(mark) ? BigInt(each.slice(mark.length)) : each,
  );
}

/** As JSON.stringify; what is `Unreadable` stands in it as it was typed, so that the whole is no JSON either. */
export function toJson(value: unknown, indent?: number): string {
  const raw: string[] = [];
  let mark = "\u0001";
  const write = () => {
    raw.length = 0;
    return (
      JSON.stringify(
        value,
        (_, each: unknown) => {
          if (typeof each !== "bigint" && !(each instanceof Unreadable)) return each;
          raw.push(typeof each === "bigint" ? String(each) : each.text);
          return `${mark}${raw.length - 1}`;
        },
        indent,
      ) ?? "null"
    );
  };
  let text = write();
  if (raw.length === 0) return text;
  const shown = () => `"${JSON.stringify(mark).slice(1, -1)}`;
  while (text.split(shown()).length - 1 !== raw.length) {
    mark += "\u0002";
    text = write();
  }
  const pieces = text.split(shown());
  return pieces
    .map((piece, index) =>
      index === 0 ? piece : (raw[Number.parseInt(piece, 10)] ?? "") + piece.slice(piece.indexOf('"') + 1),
    )
    .join("");
}

function unusedMark(text: string): string {
  let mark = "\ue000";
  while (text.includes(mark) || text.includes("\\ue000")) {
    if (mark.length > 8) break;
    mark += "\ue001";
  }
  return mark;
}
