"""Grafana's search API as a function."""

import asyncio
from typing import Annotated, Any

import orjson

from croupier.adapters.upstream import Upstream
from croupier_sdk import Field, Provider

Tags = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    Field(label={"en": "Tags", "zh": "标签"}, max_length=32),
]


def add_grafana(provider: Provider, upstream: Upstream) -> None:
    @provider.function(
        "grafana.search",
        category="grafana",
        mode="query",
        idempotent=True,
        timeout=upstream.seconds,
        display_name={"en": "Find dashboards", "zh": "查找仪表盘"},
        summary={"en": "Grafana's dashboards, with links to them.", "zh": "Grafana 的仪表盘及其链接。"},
        tags=["metrics"],
    )
    async def search(
        query: Annotated[str, Field(label={"en": "Title", "zh": "标题"}, max_length=200)] = "",
        tags: Tags = (),
        starred: Annotated[bool, Field(label={"en": "Starred", "zh": "已收藏"})] = False,
        limit: Annotated[int, Field(label={"en": "At most", "zh": "最多"}, ge=1, le=5000)] = 100,
        page: Annotated[int, Field(label={"en": "Page", "zh": "页码"}, ge=1, le=10_000)] = 1,
    ) -> bytes:
        """Grafana's dashboards, with links to them.

        Args:
            query: A part of the title.
            tags: Tags that a dashboard must all have.
            starred: Only those that the adapter's user has starred.
            limit: How many on a page.
            page: Which page, from 1.

        """
        asked = [("type", "dash-db"), ("limit", str(limit)), ("page", str(page)), *(("tag", tag) for tag in tags)]
        asked += [("query", query)] if query else []
        asked += [("starred", "true")] if starred else []
        found = await upstream.ask_list("/api/search", asked)
        return await asyncio.to_thread(orjson.dumps, {"dashboards": [_dashboard(each, upstream.url) for each in found]})


def _dashboard(found: dict[str, Any], base: str) -> dict[str, Any]:
    """What an operator looks for, with an address that opens."""
    return {
        "uid": found.get("uid", ""),
        "title": found.get("title", ""),
        "folder": found.get("folderTitle", ""),
        "tags": found.get("tags", []),
        "starred": found.get("isStarred", False),
        "link": link(found.get("url"), base),
    }


def link(path: object, base: str) -> str:
    """Grafana's paths hold its path prefix already. What is no path of Grafana's own is no link."""
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return ""
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{path}"
