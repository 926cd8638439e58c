"""Who would receive a call, and why: the router is asked, nothing is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from croupier.domain import choices
from croupier.domain.call import Call, Route
from croupier.domain.causes import Cause
from croupier.domain.routing import Candidate, Preview
from croupier.errors import FailedPrecondition, NotFound, Unavailable
from croupier.server.dispatch.agents import Agent, Offer
from croupier.server.dispatch.router import Router

NAMED = 1_000
"""The most candidates of one preview."""

_Place = tuple[str, str]
"""Agent and game server."""


def preview(router: Router, call: Call) -> Preview:
    """That nobody can take the call is an answer, too. Raises InvalidArgument for a call that could never be routed."""
    chosen: Mapping[_Place, Cause] = {}
    try:
        chosen, reason = _chosen(router, call)
    except (FailedPrecondition, NotFound, Unavailable) as error:
        reason = Cause(code=error.code, detail=error.message, parameters=error.details)
    candidates = sorted(_candidates(router, call, chosen), key=lambda each: not each.chosen)
    return Preview(
        route=call.route,
        candidates=tuple(candidates[:NAMED]),
        total=len(candidates),
        reason=reason.detail,
        code=reason.code,
        parameters=reason.parameters,
    )


def _chosen(router: Router, call: Call) -> tuple[Mapping[_Place, Cause], Cause]:
    if call.route is Route.BROADCAST:
        targets, skipped = router.everyone(call)
        why = choices.choice_of(choices.EVERYONE)
        reason = replace(
            why,
            detail=f"{why.detail}: {len(targets)}, and {len(skipped)} are left out",
            parameters={"chosen": str(len(targets)), "skipped": str(len(skipped))},
        )
        return {(target.link.agent_id, target.service_id): why for target in targets}, reason
    target = router.well(call)
    agent_id = target.link.agent_id
    why = choices.choice_of(target.why)
    counted = {**why.parameters, "candidates": str(target.candidates)}
    if target.service_id:
        reason = replace(why, detail=f"{why.detail}, of {target.candidates}", parameters=counted)
        return {(agent_id, target.service_id): why}, reason
    agent = router.offering(call)[agent_id]
    offers = [offer for offer in agent.offers(call.function_id) if call.version in {"", offer.version}]
    able = [offer for offer in offers if offer.healthy] or offers
    reason = replace(
        why,
        detail=f"agent {agent_id}: {target.why}, of {target.candidates}; another call may go elsewhere",
        parameters={**counted, "agent": agent_id},
    )
    if len(able) > 1:
        within = {**why.parameters, "within": "true"}
        why = replace(why, detail=f"{why.detail}; it takes its least busy game server", parameters=within)
    return {(agent_id, offer.service_id): why for offer in able}, reason


def _candidates(router: Router, call: Call, chosen: Mapping[_Place, Cause]) -> Iterator[Candidate]:
    for agent in router.offering(call).values():
        outstanding = agent.link.outstanding if agent.link is not None else 0
        for offer in agent.offers(call.function_id):
            fits = call.version in {"", offer.version}
            taken = chosen.get((agent.agent_id, offer.service_id)) if fits else None
            why = taken or _why_not(call, agent, offer)
            yield Candidate(
                agent_id=agent.agent_id,
                service_id=offer.service_id,
                version=offer.version,
                healthy=offer.healthy,
                outstanding=outstanding,
                usable=agent.usable,
                chosen=taken is not None,
                why=why.detail,
                code=why.code,
                parameters=why.parameters,
            )


def _why_not(call: Call, agent: Agent, offer: Offer) -> Cause:
    if not agent.connected:
        return choices.choice_of(choices.DISCONNECTED)
    if not agent.usable:
        return choices.choice_of(choices.DRAINS)
    if call.version not in {"", offer.version}:
        return choices.of_another_version(offer.version, call.version)
    if not offer.healthy:
        return choices.choice_of(choices.ILL)
    return choices.choice_of(choices.NOT_NAMED if call.route is Route.TARGETED else choices.ANOTHER)
