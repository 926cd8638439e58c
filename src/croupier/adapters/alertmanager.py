"""Alertmanager's API (v2) as functions."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import orjson

from croupier.adapters.times import Duration, Moment, rfc3339, seconds_of, unix_of
from croupier.adapters.upstream import Missing, Upstream
from croupier_sdk import BadArgument, Field, OutcomeUnknown, Provider, Rejected

_LONGEST_SILENCE = 366 * 86_400.0

Filter = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=1_000)], ...],
    Field(label={"en": "Matchers", "zh": "匹配条件"}, placeholder='severity="critical"', max_length=32),
]
SilenceState = Literal["active", "pending", "expired"]


class Matcher(TypedDict):
    """A label and what its value must be."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    value: Annotated[str, Field(max_length=1_000)]
    isRegex: NotRequired[bool]
    isEqual: NotRequired[bool]


class Silenced(TypedDict):
    silence_id: str
    starts_at: str
    ends_at: str


class Expired(TypedDict):
    silence_id: str
    state: str


def add_alertmanager(provider: Provider, upstream: Upstream) -> None:
    _add_alerts(provider, upstream)
    _add_silences(provider, upstream)
    _add_silence(provider, upstream)
    _add_expire(provider, upstream)


def _add_alerts(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "alertmanager.alerts",
        category="alertmanager",
        mode="query",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "List alerts", "zh": "告警列表"},
        summary={"en": "The alerts that Alertmanager has now.", "zh": "Alertmanager 当前的告警。"},
        tags=["alerts"],
    )
    async def alerts(
        filter: Filter = (),  # noqa: A002 — Alertmanager's word
        active: Annotated[bool, Field(label={"en": "Active", "zh": "活跃"})] = True,
        silenced: Annotated[bool, Field(label={"en": "Silenced", "zh": "已静默"})] = True,
        inhibited: Annotated[bool, Field(label={"en": "Inhibited", "zh": "被抑制"})] = True,
        receiver: Annotated[str, Field(label={"en": "Receiver", "zh": "接收者"}, max_length=200)] = "",
    ) -> bytes:
        """The alerts that Alertmanager has now.

        Args:
            filter: Matchers that all must hold, such as severity="critical" or game=~"g.*".
            active: Whether those that are neither silenced nor inhibited are told.
            silenced: Whether silenced ones are told.
            inhibited: Whether inhibited ones are told.
            receiver: Only those for receivers that this regular expression matches.

        """
        flags = {"active": active, "silenced": silenced, "inhibited": inhibited}
        query = [("filter", each) for each in filter] + [(name, str(on).lower()) for name, on in flags.items()]
        if receiver:
            query.append(("receiver", receiver))
        return await asyncio.to_thread(orjson.dumps, {"alerts": await upstream.ask_list("/api/v2/alerts", query)})


def _add_silences(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "alertmanager.silences",
        category="alertmanager",
        mode="query",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "List silences", "zh": "静默列表"},
        summary={"en": "Silences, by default those that hold or will.", "zh": "静默规则。默认列出生效中和待生效的。"},
        tags=["alerts"],
    )
    async def silences(
        filter: Filter = (),  # noqa: A002 — Alertmanager's word
        states: Annotated[tuple[SilenceState, ...], Field(label={"en": "States", "zh": "状态"}, max_length=3)] = (
            "active",
            "pending",
        ),
    ) -> bytes:
        """Silences, by default those that hold or will.

        Args:
            filter: Matchers that all must hold, such as alertname="ServerDown".
            states: Which states are told.

        """
        found = await upstream.ask_list("/api/v2/silences", [("filter", each) for each in filter])
        return await asyncio.to_thread(orjson.dumps, {"silences": [each for each in found if _state(each) in states]})


def _state(silence: dict[str, Any]) -> object:
    status = silence.get("status")
    return status.get("state") if isinstance(status, dict) else None


def _add_silence(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "alertmanager.silence",
        category="alertmanager",
        risk="medium",
        timeout=upstream.seconds,
        display_name={"en": "Silence alerts", "zh": "静默告警"},
        summary={"en": "Keep matching alerts quiet for a while.", "zh": "让匹配的告警静默一段时间。"},
        tags=["alerts"],
    )
    async def silence(
        matchers: Annotated[
            list[Matcher], Field(label={"en": "Matchers", "zh": "匹配条件"}, min_length=1, max_length=32)
        ],
        comment: Annotated[str, Field(label={"en": "Comment", "zh": "备注"}, min_length=1, max_length=1_000)],
        created_by: Annotated[str, Field(label={"en": "By", "zh": "创建者"}, min_length=1, max_length=200)],
        duration: Annotated[Duration, Field(label={"en": "Duration", "zh": "时长"}, placeholder="2h")] = "2h",
        starts_at: Annotated[Moment | None, Field(label={"en": "From", "zh": "开始"})] = None,
    ) -> Silenced:
        """Keep matching alerts quiet for a while.

        Args:
            matchers: Labels and values; an alert that fits all of them is silenced. isRegex and isEqual are false and true where nothing is said.
            comment: Why.
            created_by: Who is to be asked about it.
            duration: How long, such as 30m or 2h.
            starts_at: When it begins; now where nothing is said.

        """
        start = time.time() if starts_at is None else unix_of(starts_at, "starts_at")
        body = _silence(matchers, comment, created_by, start, seconds_of(duration))
        answer = orjson.loads(await upstream.send("POST", "/api/v2/silences", "command", json=body) or b"null")
        if not isinstance(answer, dict) or not isinstance(answer.get("silenceID"), str):
            raise OutcomeUnknown(f"{upstream.name} did not say the silence's id: look whether it is there")
        return Silenced(silence_id=answer["silenceID"], starts_at=body["startsAt"], ends_at=body["endsAt"])


def _silence(
    matchers: Sequence[Matcher], comment: str, created_by: str, start: float, seconds: float
) -> dict[str, Any]:
    if not 0 < seconds <= _LONGEST_SILENCE:
        raise BadArgument("argument 'duration' must be above 0 and at most 366d")
    if all(_fits_all(each) for each in matchers):
        raise BadArgument("argument 'matchers' would silence every alert: name a value in one of them")
    return {
        "matchers": [{"isRegex": False, "isEqual": True, **each} for each in matchers],
        "comment": comment,
        "createdBy": created_by,
        "startsAt": rfc3339(start),
        "endsAt": rfc3339(start + seconds),
    }


def _fits_all(matcher: Matcher) -> bool:
    anything = matcher["value"] == "" or (matcher.get("isRegex", False) and matcher["value"] in {".*", ".+"})
    return anything and matcher.get("isEqual", True)


def _add_expire(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "alertmanager.expire_silence",
        category="alertmanager",
        risk="medium",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "End a silence", "zh": "结束静默"},
        summary={"en": "Let a silence end now.", "zh": "立即结束一条静默。"},
        tags=["alerts"],
    )
    async def expire_silence(silence_id: Annotated[UUID, Field(label={"en": "Silence", "zh": "静默 ID"})]) -> Expired:
        """Let a silence end now.

        Args:
            silence_id: Its id, as alertmanager.silences tells it.

        """
        path = f"/api/v2/silence/{silence_id}"
        try:
            await upstream.ask(path)  # a DELETE of an unknown one is a server error to Alertmanager
        except Missing:
            raise Rejected(f"there is no silence {silence_id}") from None
        await upstream.send("DELETE", path, "command")
        return Expired(silence_id=str(silence_id), state="expired")
