"""An adapter as a process: its settings become a provider that serves until it is cancelled."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from croupier import __version__
from croupier.adapters.alertmanager import add_alertmanager
from croupier.adapters.grafana import add_grafana
from croupier.adapters.http.functions import add_http
from croupier.adapters.http.target import Credentials, Target
from croupier.adapters.prometheus import add_prometheus
from croupier.adapters.secret import Secret
from croupier.adapters.upstream import Upstream
from croupier.settings import (
    AdapterSettings,
    AlertmanagerAdapterSettings,
    GrafanaAdapterSettings,
    HttpAdapterSettings,
    PromAdapterSettings,
    UpstreamSettings,
    read_credential,
)
from croupier_sdk import Provider

log = logging.getLogger(__name__)

WAITING = 16
"""For each request that may be under way, so many calls may wait; more are refused as rate limited."""

_UPSTREAMS: Mapping[type[UpstreamSettings], tuple[str, Callable[[Provider, Upstream], None]]] = {
    PromAdapterSettings: ("Prometheus", add_prometheus),
    GrafanaAdapterSettings: ("Grafana", add_grafana),
    AlertmanagerAdapterSettings: ("Alertmanager", add_alertmanager),
}


async def run(settings: AdapterSettings) -> None:
    """Serve until cancelled; calls in flight then have the SDK's grace to end. An agent that is away is no error.

    Raises FailedPrecondition for a token that is not where the settings say.
    """
    async with build(settings) as provider:
        log.info("offering %s to the agent at %s", ", ".join(provider.functions), settings.agent)
        await provider.serve()


@asynccontextmanager
async def build(settings: AdapterSettings) -> AsyncIterator[Provider]:
    """The provider of an adapter, not serving yet, and what it asks, open for as long as the block runs."""
    provider = _provider(settings)
    async with AsyncExitStack() as stack:
        if isinstance(settings, HttpAdapterSettings):
            add_http(provider, await stack.enter_async_context(Target(settings, _credentials(settings))))
        elif isinstance(settings, UpstreamSettings):
            name, add = _UPSTREAMS[type(settings)]
            secret = Secret(read_credential(settings.token_env, settings.token_file))
            add(provider, await stack.enter_async_context(Upstream(name, settings, secret)))
        yield provider


def _provider(settings: AdapterSettings) -> Provider:
    return Provider(
        agent=settings.agent,
        service_id=settings.service_id,
        game_id=settings.game_id,
        env=settings.env,
        version=__version__,
        max_calls=settings.concurrency * (1 + WAITING),
    )


def _credentials(settings: HttpAdapterSettings) -> Credentials:
    return Credentials(
        {host: Secret(read_credential(name, None)) for host, name in settings.token_env.items()}
        | {host: Secret(read_credential(None, file)) for host, file in settings.token_file.items()}
    )
