"""What exactly stopped a request, or let a call pass a gate: a stable name, so that a page says it in its reader's language.

    CroupierError.reason   the kind, of sixteen: what a program does about it
    CroupierError.code     which of them it was, where it is one that people meet; its parameters are the error's details
    Gate.code              the same names, and those of gates that let a call pass

docs/reference/refusals.md lists them with their parameters, which are texts. A name is never given another meaning.
"""

from enum import StrEnum


class Code(StrEnum):
    # what lets a call pass, or leaves it open
    ASSIGNED = "assigned"
    DESCRIBED = "described"
    UNDESCRIBED = "undescribed"
    ROOT = "root"
    ROLE_ALLOWS = "role_allows"
    CONDITION_HOLDS = "condition_holds"
    CONDITION_OPEN = "condition_open"
    MAINTENANCE_SPARES_QUERIES = "maintenance_spares_queries"
    MAINTENANCE_NONE = "maintenance_none"
    MAINTENANCE_OVERRIDDEN = "maintenance_overridden"
    RATE_LEFT = "rate_left"
    CONCURRENCY_LEFT = "concurrency_left"
    ARGUMENTS_FREE = "arguments_free"
    ARGUMENTS_OPEN = "arguments_open"
    ARGUMENTS_FIT = "arguments_fit"
    BUDGET_LEFT = "budget_left"
    APPROVAL_NONE = "approval_none"
    APPROVAL_OPEN = "approval_open"
    APPROVAL_NEEDED = "approval_needed"
    RECEIVERS = "receivers"

    # why somebody else has to agree
    RULE = "rule"
    TWO_PERSON_RULE = "two_person_rule"
    DESCRIPTION_ASKS = "description_asks"
    RISK = "risk"
    OVER_LIMIT = "over_limit"

    # rights
    PERMISSION_MISSING = "permission_missing"
    PERMISSION_MISSING_EVERYWHERE = "permission_missing_everywhere"
    ROLE_LACKS = "role_lacks"
    TOKEN_LACKS = "token_lacks"  # noqa: S105 — no password
    TOKEN_ELSEWHERE = "token_elsewhere"  # noqa: S105 — no password
    SEES_AS_ROLE = "sees_as_role"
    OUTRANKED = "outranked"
    CONDITION_FAILS = "condition_fails"
    CONDITION_UNUSABLE = "condition_unusable"

    # what holds a call back
    NOT_ASSIGNED = "not_assigned"
    DISABLED = "disabled"
    UNDER_MAINTENANCE = "under_maintenance"
    RATE_EXCEEDED = "rate_exceeded"
    CONCURRENCY_EXCEEDED = "concurrency_exceeded"
    ARGUMENTS_UNFIT = "arguments_unfit"
    BUDGET_EXCEEDED = "budget_exceeded"
    BUDGET_EXCEEDED_ONCE = "budget_exceeded_once"
    BUDGET_UNCOUNTABLE = "budget_uncountable"
    FUNCTION_UNKNOWN = "function_unknown"
    AGENTS_AWAY = "agents_away"
    AGENTS_RETURNING = "agents_returning"
    GAME_SERVERS_AWAY = "game_servers_away"
    VERSION_UNKNOWN = "version_unknown"
    TARGET_UNKNOWN = "target_unknown"
    TARGET_AMBIGUOUS = "target_ambiguous"
    TARGET_MISSING = "target_missing"
    HASH_KEY_MISSING = "hash_key_missing"
    KEY_REUSED = "key_reused"
    KEY_PENDING = "key_pending"

    # who receives a call, or would, and why
    CHOSEN_ONLY = "chosen_only"
    CHOSEN_LESS_BUSY = "chosen_less_busy"
    CHOSEN_NAMED = "chosen_named"
    CHOSEN_HASH = "chosen_hash"
    CHOSEN_CANARY = "chosen_canary"
    CHOSEN_ALL = "chosen_all"
    NOT_CHOSEN = "not_chosen"
    NOT_NAMED = "not_named"
    AGENT_DISCONNECTED = "agent_disconnected"
    AGENT_DRAINS = "agent_drains"
    VERSION_OTHER = "version_other"
    GAME_SERVER_ILL = "game_server_ill"

    # how a call ended
    NOT_SENT_IN_TIME = "not_sent_in_time"
    NO_ANSWER_IN_TIME = "no_answer_in_time"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    CALLER_LEFT_BEFORE = "caller_left_before"
    CALLER_LEFT = "caller_left"
    ALL_FAILED = "all_failed"
    RECORD_GONE = "record_gone"
    END_UNRECORDED = "end_unrecorded"
    NOT_APPROVED = "not_approved"

    # approvals
    APPROVAL_CLOSED = "approval_closed"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_DRIFTED = "approval_drifted"
    APPROVAL_CHANGED = "approval_changed"
    APPROVAL_OWN = "approval_own"
    APPROVAL_OTHERS = "approval_others"
    APPROVAL_NOT_ASKED = "approval_not_asked"
    APPROVAL_TWICE = "approval_twice"
    CHANGED = "changed"
    APPROVALS_TOO_MANY = "approvals_too_many"
    PROOF_NEEDED = "proof_needed"
    PEOPLE_ONLY = "people_only"
    APPROVAL_REJECTED = "approval_rejected"
    APPROVAL_WITHDRAWN = "approval_withdrawn"
    APPROVAL_UNANSWERED = "approval_unanswered"

    # signing in
    NOT_SIGNED_IN = "not_signed_in"
    SESSION_ENDED = "session_ended"
    SIGN_IN_WRONG = "sign_in_wrong"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 — no password
    CODE_NEEDED = "code_needed"
    CODE_WRONG = "code_wrong"
    CODES_TOO_MANY = "codes_too_many"
    TRIES_TOO_MANY = "tries_too_many"
    SIGNING_IN_BUSY = "signing_in_busy"
    SETUP_OVER = "setup_over"
    INVITATION_OVER = "invitation_over"
    FOREIGN_PAGE = "foreign_page"
    SIGNED_IN_LONG_AGO = "signed_in_long_ago"

    # what changes things
    STALE = "stale"
    ACCOUNT_EXISTS = "account_exists"
    ACCOUNT_OWN = "account_own"
    ACCOUNT_DISABLED = "account_disabled"
    SECOND_FACTOR_EXISTS = "second_factor_exists"
    ROLE_BOUND = "role_bound"
    ROLE_BUILT_IN = "role_built_in"
    PACK_UNSIGNED = "pack_unsigned"
    PACK_NEEDED = "pack_needed"

    # what is filled in
    FIELD_MISSING = "field_missing"
    FIELD_TOO_LONG = "field_too_long"
    NAME_WRONG = "name_wrong"
    TOO_MANY = "too_many"
    OUT_OF_RANGE = "out_of_range"
    SCOPE_MISSING = "scope_missing"
    SCOPE_WRONG = "scope_wrong"
    PERMISSION_WRONG = "permission_wrong"
    FUNCTION_PATTERN_WRONG = "function_pattern_wrong"
    SUBJECT_WRONG = "subject_wrong"
    HOST_WRONG = "host_wrong"
    ZONE_UNKNOWN = "zone_unknown"
    DURATION_WRONG = "duration_wrong"
    LIFETIME_WRONG = "lifetime_wrong"
    LIMIT_EMPTY = "limit_empty"
    LIMIT_RATE_WRONG = "limit_rate_wrong"
    LIMIT_NAME_TAKEN = "limit_name_taken"
    WINDOW_REASON_WRONG = "window_reason_wrong"
    WINDOW_ENDS_EARLY = "window_ends_early"
    WINDOW_TOO_FAR = "window_too_far"
    SECRET_EMPTY = "secret_empty"  # noqa: S105 — no password
    SECRET_TOO_LARGE = "secret_too_large"  # noqa: S105 — no password
    PASSWORD_SHORT = "password_short"  # noqa: S105 — no password
    PASSWORD_EASY = "password_easy"  # noqa: S105 — no password
    PASSWORD_LONG = "password_long"  # noqa: S105 — no password
    CODE_MISSHAPEN = "code_misshapen"

    # the files of bulk runs
    BULK_OF_JOBS = "bulk_of_jobs"
    FILE_CELL_TOO_LONG = "file_cell_too_long"
    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    FILE_ROWS_TOO_MANY = "file_rows_too_many"
    FILE_ROW_TOO_LONG = "file_row_too_long"
    FILE_NOT_UTF8 = "file_not_utf8"
    FILE_QUOTE_OPEN = "file_quote_open"
    FILE_QUOTE_WRONG = "file_quote_wrong"
    COLUMN_UNNAMED = "column_unnamed"
    COLUMN_NAME_TOO_LONG = "column_name_too_long"
    COLUMN_TWICE = "column_twice"
    COLUMN_AND_FIELD = "column_and_field"
    COLUMNS_MISSING = "columns_missing"
    COLUMN_UNKNOWN = "column_unknown"

    # the server itself
    REQUESTS_TOO_MANY = "requests_too_many"
    SERVER_FULL = "server_full"
