"""Prometheus's query API (HTTP API v1) as functions. The answers are Prometheus's own documents."""

import time
from typing import Annotated

from croupier.adapters.times import Duration, Moment, seconds_of, unix_of
from croupier.adapters.upstream import Upstream
from croupier_sdk import BadArgument, Field, Provider

POINTS = 11_000
"""Prometheus refuses a range of more steps; said here in words about the arguments."""
_DEFAULT_RANGE = 3600.0

Expression = Annotated[
    str,
    Field(
        label={"en": "Expression", "zh": "表达式"}, placeholder="up", widget="textarea", min_length=1, max_length=16_384
    ),
]


def add_prometheus(provider: Provider, upstream: Upstream) -> None:
    _add_query(provider, upstream)
    _add_query_range(provider, upstream)


def _add_query(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "prom.query",
        category="prom",
        mode="query",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "Prometheus query", "zh": "Prometheus 查询"},
        summary={"en": "What an expression is at one moment.", "zh": "计算表达式在某一时刻的值。"},
        tags=["metrics"],
    )
    async def query(
        expr: Expression, time: Annotated[Moment | None, Field(label={"en": "Moment", "zh": "时刻"})] = None
    ) -> bytes:
        """What an expression is at one moment.

        Args:
            expr: A PromQL expression.
            time: The moment; now where nothing is said.

        """
        form = {"query": expr, "timeout": _timeout(upstream)}
        if time is not None:
            form["time"] = f"{unix_of(time, 'time'):.3f}"
        return await upstream.ask("/api/v1/query", form=form)


def _add_query_range(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "prom.query_range",
        category="prom",
        mode="query",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "Prometheus range query", "zh": "Prometheus 区间查询"},
        summary={"en": "How an expression went over a span of time.", "zh": "计算表达式在一段时间内的变化。"},
        tags=["metrics"],
    )
    async def query_range(
        expr: Expression,
        start: Annotated[Moment | None, Field(label={"en": "From", "zh": "开始"})] = None,
        end: Annotated[Moment | None, Field(label={"en": "To", "zh": "结束"})] = None,
        step: Annotated[
            Duration | Annotated[float, Field(gt=0)], Field(label={"en": "Step", "zh": "步长"}, placeholder="1m")
        ] = "1m",
    ) -> bytes:
        """How an expression went over a span of time.

        Args:
            expr: A PromQL expression.
            start: Where the span begins; an hour before its end where nothing is said.
            end: Where the span ends; now where nothing is said.
            step: The time between two points, such as 15s or 1h30m, or in seconds.

        """
        until = time.time() if end is None else unix_of(end, "end")
        since = max(0.0, until - _DEFAULT_RANGE) if start is None else unix_of(start, "start")
        seconds = seconds_of(step) if isinstance(step, str) else step
        _check_range(since, until, seconds)
        form = {"query": expr, "start": f"{since:.3f}", "end": f"{until:.3f}", "step": f"{seconds:.3f}"}
        return await upstream.ask("/api/v1/query_range", form={**form, "timeout": _timeout(upstream)})


def _check_range(since: float, until: float, step: float) -> None:
    if until < since:
        raise BadArgument("argument 'end' must not be before argument 'start'")
    if step < 0.001:
        raise BadArgument("argument 'step' must be at least 1ms")
    if (until - since) / step > POINTS:
        least = (until - since) / POINTS
        raise BadArgument(
            f"argument 'step' is too short for this span: at most {POINTS} steps, so at least {least:.3g}s"
        )


def _timeout(upstream: Upstream) -> str:
    return f"{max(1, round(upstream.patience() * 1000))}ms"
