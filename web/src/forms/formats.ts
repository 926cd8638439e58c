/** Formats as the server asserts them, where @cfworker/json-schema takes more or less. What is not
 * known here (idn-hostname) is left to the server. */
import { format } from "@cfworker/json-schema";

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** What RFC 3987 has in no reference: spaces, controls, and the characters that delimit one in a text. */
const NOT_IN_IRI = /[\p{Cc}\p{Zs}\p{Zl}\p{Zp}"<>\\^`{|}]|%(?![0-9a-f]{2})/iu;

const dateTime = format["date-time"];
const email = format.email;

Object.assign(format, {
  "date-time": (text: string) => /^\S*$/.test(text) && dateTime?.(text) === true,
  ipv4: (text: string) => IPV4.test(text),
  iri: (text: string) => SCHEME.test(text) && !NOT_IN_IRI.test(text),
  "iri-reference": (text: string) => !NOT_IN_IRI.test(text),
  "idn-email": (text: string) => email?.(text) === true || /^[^\s@"]{1,64}@[^\s@]+$/u.test(text),
});
delete format.url;
delete format["json-pointer-uri-fragment"];

export { format as formats };
