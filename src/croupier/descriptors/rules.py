"""Who may call a function, and how it behaves: `auth`, `semantics`, `transport`, `routing`."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator

from croupier.descriptors.fields import (
    Expression,
    Line,
    Mode,
    Permission,
    RiskLevel,
    Seconds,
    Spelled,
    TypeName,
    Words,
    refuse,
)
from croupier.descriptors.part import Part

_RATE = re.compile(
    r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:rps|qps|(?:/|per\s)\s*(\d{0,6}(?:ms|s|m|h|d)|sec|second|min|minute|hour|day))\s*"
)
_WINDOWS = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "day": "d"}


class RiskRule(Part):
    """How dangerous a call is, and what that asks for."""

    shared = True

    short = ("string",)

    level: RiskLevel = Field(default="low", description="low, medium or high")
    requires_mfa: bool = Field(default=False, description="the caller proves identity again")
    time_window: Any = Field(default=None, description="when it may be called")
    conditions: Any = Field(default=None, description="when the level holds")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"level": value}


class TwoPersonRule(Part):
    """Whether somebody else has to approve a call."""

    shared = True

    model_config = ConfigDict(json_schema_extra={"required": []})
    short = ("boolean",)

    required: bool = Field(description="whether the rule holds; true where an object says anything else")
    approvers: Annotated[
        Words,
        WithJsonSchema({"type": ["array", "string", "integer"], "items": {"type": "string"}}),
        Spelled("a number is the threshold"),
    ] = Field(default=(), description="roles or people who may approve; nobody named: whoever has the permission")
    threshold: int = Field(default=1, ge=1, le=20, description="how many have to approve")
    expiry_time: Seconds | None = Field(default=None, description="how long an approval may take")
    conditions: Any = Field(default=None, description="when the rule holds")

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        said = dict(value)
        if isinstance(count := said.get("approvers"), int) and not isinstance(count, bool):
            del said["approvers"]
            said.setdefault("threshold", count)
        if "enabled" in said:
            said.setdefault("required", said.pop("enabled"))
        return {"required": bool(said), **said}

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"required": value}


class Auth(Part):
    permission: Permission = Field(
        default="", description="what the caller needs; `function:<id>` where nothing is said"
    )
    allow_if: Expression = Field(default="", description="a condition on the caller, the scope and the arguments")
    two_person_rule: TwoPersonRule = Field(
        default=TwoPersonRule(required=False), description="whether somebody else has to approve: true, or an object"
    )
    risk: RiskRule = Field(default=RiskRule(), description="as the function's `risk`, with what it asks for")
    require: Words = Field(default=(), description="what else the caller needs")

    def parts(self) -> Iterable[Part | None]:
        return (self.two_person_rule, self.risk)

    @field_validator("two_person_rule", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return False if value in ("", []) else value


class RateLimit(Part):
    """So many calls in a window."""

    shared = True

    model_config = ConfigDict(json_schema_extra={"required": ["value"]})
    short = ("string", "number")

    value: float = Field(gt=0, le=1e9, allow_inf_nan=False, description="calls")
    window: Seconds = Field(description="in how long; a second where nothing is said")

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {"window": 1, **value}

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"value": value}
        found = _RATE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise refuse(
                'write a rate like "5rps", "100/s", "10/m" or {"value": 10, "window": "1m"}',
                '请写速率，如 “5rps”、“100/s”、“10/m” 或 {"value": 10, "window": "1m"}',
            )
        window = _WINDOWS.get(found[2] or "s", found[2] or "s")
        return {"value": float(found[1]), "window": window if window[0].isdigit() else f"1{window}"}


class Semantics(Part):
    shared = True

    timeout: Seconds | None = Field(default=None, description="how long a call may take; none: the platform's default")
    rate_limit: RateLimit | None = Field(default=None, description="calls per window: `5rps`, `100/s`, `10/m`")
    concurrency: int | None = Field(default=None, ge=0, le=1_000_000, description="calls at once; none or 0: no limit")
    idempotent: bool = Field(default=False, description="running it twice does what running it once does")
    idempotency_key: bool | Line = Field(
        default=False, description="whether a call must carry a key, or which parameter is it"
    )
    cacheable: bool = Field(default=False, description="whether an answer may be given again")
    cache_ttl: Seconds | None = Field(default=None, description="for how long")
    mode: Mode = Field(default="command", description="query (changes nothing) or command")
    route: Literal["", "lb", "broadcast", "targeted", "hash"] = Field(
        default="", description="the route of a call that names none"
    )
    returns: Line = Field(default="", description="`job` where the function is long work")
    atomic: bool = Field(default=False, description="all or nothing")
    approval_required: bool = Field(default=False, description="somebody else has to approve")
    dry_run: bool | Line = Field(
        default=False, description="whether it can be tried out, or by which boolean parameter"
    )

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        empty = {
            name for name in ("timeout", "rate_limit", "cache_ttl", "mode", "concurrency") if value.get(name) == ""
        }
        empty |= {name for name in ("concurrency", "rate_limit") if value.get(name) == 0}
        return {name: part for name, part in value.items() if name not in empty} if empty else value

    def parts(self) -> Iterable[Part | None]:
        return (self.rate_limit,)

    @property
    def limited(self) -> bool:
        """Whether it bounds how often it is called, or how many calls run at once."""
        return self.rate_limit is not None or bool(self.concurrency)


class Proto(Part):
    """The protobuf messages that a game server takes and gives."""

    request_fqn: Annotated[TypeName, Spelled("`request.proto_fqn`")] = Field(
        default="", description="full name of the request's message"
    )
    response_fqn: Annotated[TypeName, Spelled("`response.proto_fqn`")] = Field(
        default="", description="full name of the response's message"
    )
    encoding: Line = Field(default="pb-json", description="`pb-json`: JSON here, protobuf there")


class Transport(Part):
    proto: Proto | None = Field(default=None, description="protobuf messages, where the game server speaks protobuf")
    request_type: Line = Field(default="", description="a name for the request's type")

    def parts(self) -> Iterable[Part | None]:
        return (self.proto,)


class Routing(Part):
    hash_key: Line = Field(default="", description="the argument that calls are spread by, for route hash")
    jsonpath: Expression = Field(default="", description="the same as a JSONPath of one value")
