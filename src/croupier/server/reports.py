"""What is heard of agents, or not heard any more, to the use cases that care."""

import asyncio
import logging
from dataclasses import dataclass

from croupier.domain.job import JobEvent
from croupier.server.catalog import Catalog
from croupier.server.control.direct import DirectLinks
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.link import Link
from croupier.server.job_cancel import JobCancels
from croupier.server.job_events import JobIntake
from croupier.server.job_watch import JobWatch

log = logging.getLogger(__name__)

EXPIRY_INTERVAL = 5.0
"""Seconds between looks for agents whose registration ran out."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What agents report, to the use cases that care."""

    intake: JobIntake
    catalog: Catalog
    watch: JobWatch
    cancels: JobCancels

    def job_event(self, link: Link, event: JobEvent) -> None:
        self.intake.arrived(link, event)

    def registered(self, agent: Agent) -> None:
        self.catalog.learn(agent.agent_id, agent.scope, agent.services)

    def connected(self, agent_id: str) -> None:
        self.cancels.reached(agent_id)

    def session_lost(self, agent_id: str) -> None:
        self.watch.session_lost(agent_id)


async def expire(agents: Agents, catalog: Catalog, direct: DirectLinks) -> None:
    while True:
        await asyncio.sleep(EXPIRY_INTERVAL)
        for agent_id in agents.expire():
            log.warning("agent %s has not been heard of for its time to live", agent_id)
            direct.forget(agent_id)
            if agents.get(agent_id) is None:
                catalog.forget(agent_id)
