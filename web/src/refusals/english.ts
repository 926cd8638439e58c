import { type Kinds, moment, type Sentences, seconds, several, type Values } from "./codes";

const LOCALE = "en-GB";
const WHO: Readonly<Record<string, string>> = {
  function: "this function",
  user: "each caller",
  game: "all callers together",
};
const PARTS: Readonly<Record<string, string>> = {
  function_id: "the function",
  kind: "the way it is run",
  description_version: "the version of the function's description",
  description_sha256: "the function's description",
  arguments_sha256: "the arguments",
  metadata_sha256: "the metadata",
  game_id: "the game",
  env: "the environment",
  route: "the route",
  target_service_id: "the game server",
  hash_key: "the hash key",
  version: "the wanted version",
  targets: "the game servers that would get it",
  requester: "who asks",
  policy_sha256: "the rules of approval",
};
const parts = (what: string) =>
  what
    .split(", ")
    .map((name) => PARTS[name] ?? name)
    .join(", ");
const whose = (per: string) => WHO[per] ?? per;
const ruledBy = (limit: string) => (limit === "description" ? "the function's description" : `limit ${limit}`);
const FIELDS: Readonly<Record<string, string>> = {
  reason: "the reason",
  ticket: "the ticket",
  comment: "the comment",
  display_name: "the display name",
  email: "the email address",
  name: "the name",
  description: "the description",
  note: "the note",
  text: "the text",
};
const NAMES: Readonly<Record<string, string>> = {
  account: "a name has up to 64 letters, digits and . _ - @ +, without spaces, such as ann or ann@example.org",
  group: "a group's name is one line, without spaces around it",
  role: "a role's name is 1 to 64 lower-case letters, digits, . _ and -, such as support",
  limit: "a limit's name is 1 to 64 of a-z, 0-9, . _ and -, beginning with a letter or digit",
  secret: "a secret's name is 1 to 128 letters, digits, . _ and -, beginning with a letter or digit",
  machine: "a machine's id is 1 to 128 letters, digits, . _ : @ and -",
  game_id: "a game is 1 to 64 letters, digits, . _ and -, beginning with a letter or digit",
  env: "an environment is 1 to 64 letters, digits, . _ and -, beginning with a letter or digit",
};
const NUMBERS: Readonly<Record<string, string>> = {
  canary: "the number of first rows",
  rate: "the rate",
  concurrency: "how many run at the same time",
  most: "the amount",
  timeout: "the timeout in seconds",
};
const LIVES: Readonly<Record<string, string>> = {
  token: "a token lives for a minute to a year",
  certificate: "a certificate lives for 10 seconds to 365 days",
  join_token: "a join token lives for a second to 30 days",
};
const agentOf = (of: Values) => of("agent") && `agent ${of("agent")}: `;
const among = (of: Values) =>
  (several(of("candidates")) && `, of ${of("candidates")}`) +
  (of("within") && "; it takes its least busy game server") +
  (of("agent") && "; another call may go elsewhere");
const canary = (of: Values) =>
  `${agentOf(of)}canary, ${of("percent")} % to version ${of("version")}: ` +
  (of("side") === "inside" ? "in the share" : "not in the share") +
  (of("empty") && ", but nobody is there") +
  (of("by") === "hash" ? "; its name scores highest with the hash key" : "; the less busy of two drawn") +
  among(of);
const everyone = (of: Values) =>
  "every healthy game server is asked" +
  (of("chosen") && `: ${of("chosen")}`) +
  (of("skipped") && `, and ${of("skipped")} are left out`) +
  (of("failed") && `; ${of("failed")} of them failed`);
const every = (seconds: string) => (seconds === "1" ? "second" : `${seconds} s`);

export const english: Sentences = {
  assigned: (of) => `${of("function")} may be used in ${of("scope")}`,
  described: (of) => `described by ${of("kind").replaceAll("_", " ")} ${of("name")}`.trimEnd(),
  undescribed: (of) => `nobody describes ${of("function")}, so nothing is checked but the permission`,
  root: () => "the token of the server's settings may do everything",
  role_allows: (of) => `role ${of("role")} allows ${of("pattern")}, which ${of("subject")} has in ${of("place")}`,
  condition_holds: (of) => `holds: ${of("condition")}`,
  condition_open: (of) => `depends on the arguments: ${of("condition")}`,
  maintenance_spares_queries: () => "a query: maintenance lets it through",
  maintenance_none: (of) => `no maintenance in ${of("scope")}`,
  maintenance_overridden: () => "maintenance is overridden, which you may",
  rate_left: (of) => `${of("calls")} per ${every(of("seconds"))}: ${of("left")} left`,
  concurrency_left: (of) => `${of("most")} at once: ${of("left")} left`,
  arguments_free: () => "nothing is demanded of the arguments",
  arguments_open: () => "the arguments are not given",
  arguments_fit: () => "the arguments fit the function",
  budget_left: (of) =>
    of("period")
      ? `${of("left")} of ${of("most")} (${of("path")}) left in ${of("period")}, for ${whose(of("per"))}`
      : `one call may take ${of("most")} (${of("path")})`,
  approval_none: () => "nobody else has to agree",
  approval_open: () => "may need approval, depending on the arguments",
  approval_needed: () => "somebody else has to agree first",
  receivers: (of) =>
    of("route") === "broadcast"
      ? `${of("chosen")} of ${of("candidates")} game servers receive it`
      : `a game server is ready, of ${of("candidates")}`,

  rule: (of) => `rule ${of("rule")}`,
  two_person_rule: () => "the function's two-person rule",
  description_asks: () => "the function's description asks for an approval",
  risk: (of) => `its risk is ${of("risk")}`,
  over_limit: (of) => `it goes over limit ${of("limit")}`,

  permission_missing: (of) => `needs ${of("missing")} in ${of("scope")}: ask an admin of ${of("game_id")}`,
  permission_missing_everywhere: (of) =>
    `needs ${of("missing")} for all games and environments: ask an administrator of the platform`,
  role_lacks: (of) => `role ${of("role")} has no ${of("missing")}`,
  token_lacks: (of) => `this token was made without ${of("missing")}: use another one`,
  token_elsewhere: (of) => `this token was not made for ${of("scope") || "the platform as a whole"}: use another one`,
  sees_as_role: (of) => `you look at things as role ${of("role")}: nothing can be run or changed meanwhile`,
  outranked: (of) =>
    `${of("name")} may do what you may not (${of("pattern")}, by role ${of("role")}): ask somebody who may do as much`,
  condition_fails: (of) => `the condition of this function does not hold: ${of("condition")}`,
  condition_unusable: (of) => `the condition of this function cannot be used, so nobody may call it: ${of("fault")}`,

  not_assigned: (of) => `${of("function")} is not assigned to ${of("scope")}: ask an administrator to add it there`,
  disabled: (of) =>
    `${of("function")} is disabled by ${of("kind").replaceAll("_", " ")} ${of("name")}: enable it in its description there, or mend what is wrong with that`,
  under_maintenance: (of) =>
    `${of("scope")} is under maintenance until ${of("until") ? moment(of("until"), LOCALE) : "it is ended"}: ${of("reason")} (queries are answered; nothing ran)` +
    (of("may_override") ? ". You may run it all the same, with override_maintenance=true in its metadata" : ""),
  rate_exceeded: (of) =>
    `too often: at most ${of("calls")} calls per ${every(of("seconds"))} for ${whose(of("per"))} (${ruledBy(of("limit"))}); nothing ran, try again in ${seconds(of("retry_after"))} s`,
  concurrency_exceeded: (of) =>
    `too many at once: at most ${of("most")} for ${whose(of("per"))} (${ruledBy(of("limit"))}); nothing ran, try again when one has ended`,
  arguments_unfit: () => "the arguments do not fit the function: see what stands beside the fields",
  budget_exceeded: (of) =>
    `takes ${of("amount")}, and ${of("left")} of ${of("most")} is left in ${of("period")} for ${whose(of("per"))}: ask whoever manages limit ${of("limit")}`,
  budget_exceeded_once: (of) =>
    `takes ${of("amount")}, and one call may take ${of("most")}: ask whoever manages limit ${of("limit")}`,
  budget_uncountable: (of) => `${of("path")} counts towards a budget: give it once, as a number`,
  function_unknown: (of) =>
    `no game server offers ${of("function")} in ${of("scope")}${of("elsewhere") ? `; it exists in ${of("elsewhere")}` : ""}: check the id, and that the game server is running and attached to its agent`,
  agents_away: (of) =>
    `nobody can take ${of("function")} in ${of("scope")}: ${of("agents")} offered it and is not connected now; try again when it is back`,
  agents_returning: (of) =>
    `nobody offers ${of("function")} in ${of("scope")} yet: the server was started anew a moment ago and its agents may be on their way back; nothing ran, try again in a moment`,
  game_servers_away: (of) =>
    `no healthy game server offers ${of("function")} in ${of("scope")} (${of("names")} does not answer or drains); nothing ran, try again when it is back`,
  version_unknown: (of) =>
    `${of("function")} has no version ${of("version")} in ${of("scope")}; there is ${of("versions")}`,
  target_unknown: (of) => `${of("target")} does not offer ${of("function")} in ${of("scope")}`,
  target_ambiguous: (of) =>
    `two game servers are called ${of("target")}, at ${of("agents")}: nobody can say which is meant; nothing ran, give each an id of its own`,
  target_missing: () => "choose the game server that it goes to",
  hash_key_missing: () => "say the key by which the game server is chosen",
  key_reused: () => "this key was used for something else already: send it anew",
  key_pending: (of) => `call ${of("call_id")} with this key has no recorded end yet: ask for it again shortly`,

  approval_closed: (of) => `${of("approval")} is decided already (${of("state")})`,
  approval_expired: (of) => `${of("approval")} has expired: it has to be asked for again`,
  approval_drifted: (of) =>
    `${of("approval")} no longer holds: ${of("what") ? `${parts(of("what"))} changed` : of("changed")}`,
  approval_changed: (of) => `${of("approval")} is not any more what you looked at: look at it again`,
  approval_own: () => "you asked for it, so somebody else has to decide",
  approval_others: (of) => `only ${of("requester")}, who asked for it, can withdraw it: reject it instead`,
  approval_not_asked: (of) => `this needs ${of("wanted")}, which you are not: ask one of them`,
  approval_twice: () => "you approved it already: an approver counts once",
  changed: (of) => `${PARTS[of("what")] ?? of("what")} changed`,
  approvals_too_many: (of) => `${of("most")} of your requests wait for approval: withdraw some first`,
  proof_needed: () => "prove who you are first, with a code of your authenticator app, then approve within 5 minutes",
  people_only: () => "only a person approves: sign in, or use a token of your account",

  not_signed_in: () => "you are not signed in",
  session_ended: () => "your session has ended: sign in again",
  sign_in_wrong: () => "name or password is wrong",
  password_wrong: () => "the password is wrong",
  code_needed: () => "a code of your authenticator app is needed too, or a recovery code",
  code_wrong: () => "this code is wrong or was used before: wait for the next one, or use a recovery code",
  codes_too_many: (of) => `too many wrong codes: try again in ${seconds(of("retry_after"))} s, or use a recovery code`,
  tries_too_many: (of) => `too many tries: come back in ${seconds(of("retry_after"))} s`,
  signing_in_busy: () => "too many people sign in at this moment: try again in a few seconds",
  setup_over: () => "this setup link was used, is too old, or was never made: start the server again for a new one",
  invitation_over: () => "this invitation was used, is too old, or was never made: ask for a new one",
  foreign_page: () => "this request did not come from this page: load the page again",
  signed_in_long_ago: () => "you signed in too long ago for this: sign out and in again",

  stale: () => "somebody changed this since you read it: read it again first",
  account_exists: (of) => `there is an account ${of("name")} already: choose another name`,
  account_own: () => "this is your own account: ask another administrator",
  account_disabled: () => "this account is disabled: enable it first",
  second_factor_exists: () => "you have a second factor: remove it with one of its codes before you enrol another",
  role_bound: (of) =>
    `${of("bindings")} bindings give role ${of("role")}, one of them to ${of("subject")}: remove them first`,
  role_built_in: (of) => `role ${of("role")} comes with the program: copy it under another name and change the copy`,
  pack_unsigned: (of) =>
    `pack ${of("pack")} is not signed: have it signed with a key that this server trusts, or allow unsigned packs`,
  pack_needed: (of) => `${of("needing")} need pack ${of("pack")}: disable them first`,

  requests_too_many: (of) =>
    `too many requests: at most ${of("per_second")} a second are taken from one caller; try again in ${seconds(of("retry_after"))} s`,
  server_full: () => "the server is full at this moment: try again shortly",

  chosen_only: (of) => `${agentOf(of)}the only agent that offers it${among(of)}`,
  chosen_less_busy: (of) => `${agentOf(of)}the less busy of two drawn agents${among(of)}`,
  chosen_named: () => "it was named as target",
  chosen_hash: (of) => `${agentOf(of)}its name scores highest with the hash key${among(of)}`,
  chosen_canary: canary,
  chosen_all: everyone,
  not_chosen: () => "another one was chosen",
  not_named: () => "another one was named as target",
  agent_disconnected: () => "its agent is not connected",
  agent_drains: () => "its agent drains",
  version_other: (of) => `it has version ${of("has")}, not ${of("wanted")}`,
  game_server_ill: () => "it does not answer its agent, or drains",

  not_sent_in_time: () => "its time was over before it could be sent; nothing ran, it may be sent again",
  no_answer_in_time: () => "no answer came in time; the function may still have taken effect",
  lost_before: () => "the connection to the agent was lost before the call was sent; nothing ran, it may be sent again",
  lost_after: () =>
    "the connection to the agent was lost after the call was sent: look whether it took effect before you repeat it",
  caller_left_before: () => "the caller went away before the call was sent; nothing happened",
  caller_left: () => "the caller went away before the answer; the function may still have taken effect",
  all_failed: () => "every game server that was asked failed: the details say how",
  record_gone: () => "the record of its call is gone: look in the game whether it took effect",
  end_unrecorded: () => "the end of its call is not recorded: look in the game whether it took effect",
  not_approved: (of) => `it did not run: ${of("approval")} is ${of("state")}`,

  approval_rejected: (of) => `${of("by")} rejected it: ${of("comment")}`,
  approval_withdrawn: (of) => `${of("by")} withdrew it${of("comment") && `: ${of("comment")}`}`,
  approval_unanswered: () => "nobody approved it in time: ask again",

  field_missing: (of) => `${FIELDS[of("field")] ?? of("field")} is missing: fill it in`,
  field_too_long: (of) =>
    `${FIELDS[of("field")] ?? of("field")} is too long: at most ${of("most")} characters are kept`,

  name_wrong: (of) => NAMES[of("field")] ?? `${of("field")} is not written as such names are`,
  too_many: (of) => `too many ${of("field")}: at most ${of("most")} are possible`,
  out_of_range: (of) => `${NUMBERS[of("field")] ?? of("field")} must be ${of("least")} to ${of("most")}`,
  scope_missing: () => "choose a game and an environment first",
  scope_wrong: (of) => `${of("given")} is no scope: write game|env, such as demo|prod, demo|* or *|*`,
  permission_wrong: (of) =>
    `${of("given")} is no permission: write area:verb such as packs:read, function:ID, or a pattern that ends with *`,
  function_pattern_wrong: (of) => `${of("given")} is no function: write its id, or its beginning and *, as in player.*`,
  subject_wrong: (of) => `${of("given")} is nobody: write user:NAME, group:NAME, token:ID or machine:ID`,
  host_wrong: (of) => `${of("given")} is no host name and no IP address; wildcards are not issued`,
  zone_unknown: (of) => `there is no time zone ${of("given")}: write one such as Asia/Shanghai or UTC`,
  duration_wrong: () => "write a duration such as 30s, 15m, 12h or 7d",
  lifetime_wrong: (of) => LIVES[of("of")] ?? "it cannot live for so long",
  limit_empty: () => "a limit needs a rate, a concurrency or a budget: without one it limits nothing",
  limit_rate_wrong: () => "a rate is more than 0 calls in at most a week",
  limit_name_taken: (of) => `${of("name")} stands for what a function's own description says: choose another name`,
  window_reason_wrong: (of) => `say the reason, which callers are shown, in at most ${of("most")} characters`,
  window_ends_early: () => "a window ends after it starts, and not in the past",
  window_too_far: () => "a window is planned at most a year ahead",
  secret_empty: () => "an empty value keeps no secret: give the value",
  secret_too_large: (of) => `a secret has at most ${of("most")} bytes`,
  password_short: (of) => `a password has at least ${of("least")} characters; several words are good`,
  password_easy: () => "this password is easy to guess: choose another; several words are good",
  password_long: (of) => `a password has at most ${of("most")} bytes`,
  code_misshapen: () => "a code is 6 digits, a recovery code 16 letters and digits",

  bulk_of_jobs: (of) => `${of("function")} is a job: a bulk run calls functions that answer at once`,
  file_empty: () => "the file has no row: write one for each call",
  file_too_large: (of) => `the file takes more than ${of("most")} bytes: split it`,
  file_rows_too_many: (of) => `more than ${of("most")} rows: split the file`,
  file_cell_too_long: (of) => `line ${of("line")}: a cell is longer than ${of("most")} characters`,
  file_row_too_long: (of) => `line ${of("line")}: a row is longer than ${of("most")} bytes`,
  file_not_utf8: (of) => `line ${of("line")}: no text in UTF-8; save the file as UTF-8`,
  file_quote_open: (of) => `line ${of("line")}: a quoted field begins in this row and never ends`,
  file_quote_wrong: (of) =>
    `line ${of("line")}: its quotes are no CSV: quote the whole field and double the quotes in it, as in "a ""b"" c"`,
  column_unnamed: (of) => `the header: column ${of("column")} has no name, or an empty part in it`,
  column_name_too_long: (of) => `the header: the name of column ${of("column")} is longer than ${of("most")} bytes`,
  column_twice: (of) => `the header: column ${of("column")} comes twice`,
  column_and_field: (of) => `the header: column ${of("column")} and its field ${of("field")} cannot both be given`,
  columns_missing: (of) => `the header: the function needs ${of("columns")}, and no column has that name`,
  column_unknown: (of) =>
    `the header: the function knows no ${of("column")}; it knows ${of("known")}. Commas separate columns`,
};

export const englishKinds: Kinds = {
  invalid_argument: { title: "The request is wrong", next: "Correct it; sending it again as it is will not help." },
  payload_too_large: { title: "Too large", next: "Send less at once." },
  unauthenticated: { title: "Not signed in", next: "Sign in again." },
  permission_denied: { title: "Not allowed", next: "Ask an administrator for the right, or somebody who has it." },
  not_found: { title: "Not found", next: "It is gone, was never there, or is none of your business." },
  method_not_allowed: { title: "The page does not fit the server", next: "Load the page again." },
  conflict: { title: "It clashes with what there is", next: "Look at what there is, then try again." },
  failed_precondition: { title: "Not possible now", next: "Do first what is said here, then try again." },
  awaiting_approval: { title: "Somebody else has to approve it", next: "It runs when somebody has." },
  rate_limited: { title: "Too many at once", next: "Nothing ran. Wait a little, then try again." },
  unavailable: { title: "Nothing ran", next: "It is safe to send it again when what is missing is back." },
  deadline_exceeded: { title: "Time ran out", next: "The game server may have acted: look before you repeat it." },
  canceled: { title: "Cancelled", next: "It may have begun before: look before you repeat it." },
  outcome_unknown: { title: "Nobody knows whether it ran", next: "Look in the game before you repeat it." },
  function_rejected: { title: "The function said no", next: "Change what it objects to, then try again." },
  handler_failed: { title: "The function broke", next: "Tell whoever writes it, with the call id." },
  unimplemented: { title: "This server cannot do it", next: "A newer version may." },
  internal: { title: "A fault of the server", next: "Tell whoever runs it, with the ids that stand here." },
};
