"""A scriptable agent for a game's own tests: a real gRPC server on loopback, with no platform behind it.

    async with FakeAgent() as agent, build_game(agent=agent.address) as game:
        await agent.wait_registered("player.ban")
        assert await agent.invoke("player.ban", {"player_id": "p1"}) == {"banned": True}

        job = await agent.start_job("mail.send_all", {"text": "hello"})
        async for event in job.events():
            print(event.type, event.progress, event.message)
        assert await job.result() == {"sent": 200}

        agent.drop_connections()      # the network fails; the game attaches again and its session goes on
        await agent.restart()         # the agent dies and comes back knowing nothing
        agent.acknowledge_jobs = False    # the platform stops storing job events

Games in both modes can be tested, attached and listening.
"""

from croupier_sdk.testing.agent import FakeAgent
from croupier_sdk.testing.job import FakeJob

__all__ = ["FakeAgent", "FakeJob"]
