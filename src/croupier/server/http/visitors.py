from croupier.domain.principal import Principal
from croupier.server.access.addresses import Proxies
from croupier.server.access.arrivals import Arrivals
from croupier.server.access.guard import Guard
from croupier.server.access.login import Visitor
from croupier.server.http.exchange import Exchange

_AGENT_BYTES = 512


class Visitors:
    """Where requests come from, through the proxies that are trusted."""

    def __init__(self, guard: Guard, proxies: Proxies) -> None:
        self._guard = guard
        self._proxies = proxies
        self._arrivals = Arrivals()

    def of(self, exchange: Exchange) -> Visitor:
        session = self._guard.session(exchange.headers)
        return Visitor(
            address=self.address(exchange),
            agent=exchange.headers.get(b"user-agent", b"")[:_AGENT_BYTES].decode("utf-8", "replace"),
            session_id=session.credential if session is not None else "",
        )

    def arrived(self, exchange: Exchange, caller: Principal) -> Principal:
        """`caller`, with where the request came from."""
        peer = exchange.scope.get("client")
        if peer is not None and not self._proxies.trusted:
            return self._arrivals.at(caller, peer[0])
        return self._arrivals.at(caller, self.address(exchange))

    def address(self, exchange: Exchange) -> str:
        peer = exchange.scope.get("client")
        forwarded = [value for name, value in exchange.scope["headers"] if name == b"x-forwarded-for"]
        return self._proxies.client(peer[0] if peer else "", b",".join(forwarded))
