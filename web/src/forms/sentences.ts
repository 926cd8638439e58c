/** What a value does wrong, in the words that the server has for it. */
import type { Message } from "./faults";
import { isObject, type JsonObject } from "./nodes";

const SHOWN = 200;
const MANY = 20;

const TYPES: Record<string, readonly [string, string]> = {
  string: ["text", "文本"],
  integer: ["a whole number", "整数"],
  number: ["a number", "数字"],
  boolean: ["true or false", "true 或 false"],
  object: ["an object", "对象"],
  array: ["a list", "列表"],
  null: ["null", "null"],
};

const FORMATS: Record<string, readonly [string, string]> = {
  "date-time": [
    "a date and time with a zone, such as 2026-01-31T08:00:00Z",
    "带时区的日期时间，如 2026-01-31T08:00:00Z",
  ],
  date: ["a date such as 2026-01-31", "日期，如 2026-01-31"],
  time: ["a time with seconds and a zone, such as 08:00:00Z", "带秒和时区的时间，如 08:00:00Z"],
  duration: ["a duration such as P3D or PT30M", "时长，如 P3D 或 PT30M"],
  email: ["an e-mail address", "邮箱地址"],
  hostname: ["a host name", "主机名"],
  ipv4: ["an IPv4 address", "IPv4 地址"],
  ipv6: ["an IPv6 address", "IPv6 地址"],
  uri: ["a URI such as https://example.com", "URI，如 https://example.com"],
  uuid: ["a UUID", "UUID"],
  regex: ["a regular expression", "正则表达式"],
  "json-pointer": ["a JSON pointer such as /a/0", "JSON 指针，如 /a/0"],
};

const LIMITS: Record<string, readonly [string, string]> = {
  minimum: ["must be at least {limit}", "不能小于 {limit}"],
  maximum: ["must be at most {limit}", "不能大于 {limit}"],
  exclusiveMinimum: ["must be more than {limit}", "必须大于 {limit}"],
  exclusiveMaximum: ["must be less than {limit}", "必须小于 {limit}"],
  minLength: ["needs at least {limit} character{s}", "至少 {limit} 个字符"],
  maxLength: ["has more than {limit} character{s}", "超过 {limit} 个字符"],
  minItems: ["needs at least {limit} item{s}", "至少 {limit} 项"],
  maxItems: ["has more than {limit} item{s}", "超过 {limit} 项"],
  minProperties: ["needs at least {limit} field{s}", "至少 {limit} 个字段"],
  maxProperties: ["has more than {limit} field{s}", "超过 {limit} 个字段"],
  multipleOf: ["must be a multiple of {limit}", "必须是 {limit} 的倍数"],
};

const SENTENCES: Record<string, Message> = {
  required: { en: "is missing", zh: "缺少此项" },
  additionalProperties: { en: "is not a field of it", zh: "不是已定义的字段" },
  unevaluatedProperties: { en: "is not a field of it", zh: "不是已定义的字段" },
  noFields: { en: "may have no fields", zh: "不能含有任何字段" },
  uniqueItems: { en: "holds the same item twice", zh: "存在重复项" },
  contains: { en: "lacks an item that it needs", zh: "缺少必需的项" },
  propertyNames: { en: "has a field whose name is not allowed", zh: "存在名称不符合要求的字段" },
  anyOf: { en: "fits none of the alternatives", zh: "不符合任何一种允许的形式" },
  oneOf: { en: "must fit exactly one of the alternatives", zh: "必须恰好符合一种允许的形式" },
  not: { en: "is what is not allowed here", zh: "属于不允许的形式" },
  falseSchema: { en: "is not allowed here", zh: "此处不允许有值" },
  unevaluatedItems: { en: "has items that are not allowed", zh: "存在不允许的项" },
};

const OTHER: Message = { en: "does not fit", zh: "不符合要求" };

/** What `keyword` of `schema` says to a value that does not keep it. */
export function sentence(keyword: string, schema: unknown): Message {
  const own = SENTENCES[keyword];
  if (own) return own;
  if (!isObject(schema)) return OTHER;
  const limit = LIMITS[keyword];
  if (limit) return limited(limit, schema[keyword]);
  switch (keyword) {
    case "type":
      return oneOf([schema.type].flat().map((name) => TYPES[String(name)] ?? [String(name), String(name)]));
    case "format":
      return format(String(schema.format));
    case "enum":
      return options(Array.isArray(schema.enum) ? schema.enum : []);
    case "const":
      return { en: `must be ${shown(schema.const)}`, zh: `必须是 ${shown(schema.const)}` };
    case "pattern":
      return pattern(schema);
    default:
      return OTHER;
  }
}

function limited([en, zh]: readonly [string, string], limit: unknown): Message {
  const filled = (text: string) => text.replace("{limit}", String(limit)).replace("{s}", limit === 1 ? "" : "s");
  return { en: filled(en), zh: filled(zh) };
}

function oneOf(known: readonly (readonly [string, string])[]): Message {
  const joined = (words: string[], or: string) => words.join(or);
  return {
    en: `must be ${joined(
      known.map(([en]) => en),
      " or ",
    )}`,
    zh: `必须是${joined(
      known.map(([, zh]) => zh),
      "或",
    )}`,
  };
}

function format(name: string): Message {
  return oneOf([FORMATS[name] ?? [`a valid ${name}`, `合法的 ${name}`]]);
}

function options(values: readonly unknown[]): Message {
  const named = cut(values.slice(0, MANY).map(shown).join(", ") + (values.length > MANY ? ", …" : ""));
  return { en: `must be one of ${named}`, zh: `必须是以下之一：${named}` };
}

function pattern(schema: JsonObject): Message {
  const named = cut(String(schema.pattern));
  return { en: `does not match the pattern ${named}`, zh: `不符合格式 ${named}` };
}

function shown(constant: unknown): string {
  return cut(typeof constant === "string" ? constant : JSON.stringify(constant));
}

function cut(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
