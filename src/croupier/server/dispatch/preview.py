"""Who would receive a call, and why: the router is asked, nothing is sent."""

from collections.abc import Iterator, Mapping

from croupier.domain.call import Call, Route
from croupier.domain.routing import Candidate, Preview
from croupier.errors import CroupierError, NotFound, Unavailable
from croupier.server.dispatch.agents import Agent, Offer
from croupier.server.dispatch.router import Router

NAMED = 1_000
"""The most candidates of one preview."""

_Place = tuple[str, str]
"""Agent and game server."""


def preview(router: Router, call: Call) -> Preview:
    """That nobody can take the call is an answer, too. Raises InvalidArgument for a call that could never be routed."""
    chosen: Mapping[_Place, str] = {}
    nobody: CroupierError | None = None
    try:
        chosen, reason = _chosen(router, call)
    except (NotFound, Unavailable) as error:
        nobody, reason = error, error.message
    candidates = sorted(_candidates(router, call, chosen), key=lambda each: not each.chosen)
    return Preview(
        route=call.route,
        candidates=tuple(candidates[:NAMED]),
        total=len(candidates),
        reason=reason,
        code=None if nobody is None else nobody.code,
        parameters={} if nobody is None else nobody.details,
    )


def _chosen(router: Router, call: Call) -> tuple[Mapping[_Place, str], str]:
    if call.route is Route.BROADCAST:
        targets, skipped = router.everyone(call)
        why = "every healthy game server is asked"
        reason = f"{why}: {len(targets)}, and {len(skipped)} are left out"
        return {(target.link.agent_id, target.service_id): why for target in targets}, reason
    target = router.route(call)
    agent_id = target.link.agent_id
    if target.service_id:
        return {(agent_id, target.service_id): target.why}, f"{target.why}, of {target.candidates}"
    agent = router.offering(call)[agent_id]
    offers = [offer for offer in agent.offers(call.function_id) if call.version in {"", offer.version}]
    able = [offer for offer in offers if offer.healthy] or offers
    why = f"{target.why}; it takes its least busy game server" if len(able) > 1 else target.why
    reason = f"agent {agent_id}: {target.why}, of {target.candidates}; another call may go elsewhere"
    return {(agent_id, offer.service_id): why for offer in able}, reason


def _candidates(router: Router, call: Call, chosen: Mapping[_Place, str]) -> Iterator[Candidate]:
    for agent in router.offering(call).values():
        outstanding = agent.link.outstanding if agent.link is not None else 0
        for offer in agent.offers(call.function_id):
            fits = call.version in {"", offer.version}
            why = chosen.get((agent.agent_id, offer.service_id), "") if fits else ""
            yield Candidate(
                agent_id=agent.agent_id,
                service_id=offer.service_id,
                version=offer.version,
                healthy=offer.healthy,
                outstanding=outstanding,
                usable=agent.usable,
                chosen=bool(why),
                why=why or _why_not(call, agent, offer),
            )


def _why_not(call: Call, agent: Agent, offer: Offer) -> str:
    if not agent.connected:
        return "its agent is not connected"
    if not agent.usable:
        return "its agent drains"
    if call.version not in {"", offer.version}:
        return f"it has version {offer.version or '(none)'}, not {call.version}"
    if not offer.healthy:
        return "it does not answer its agent, or drains"
    return "another one was chosen"
