"""Scripted ends of the agent's ports: a game server that records what it is asked, a sink that records what it is told."""

import asyncio

from croupier.agent.instances import LIFE, Instance, InstanceState
from croupier.domain.function import FunctionRef, Service


class ScriptedGameServer:
    def __init__(self, service_id="game-1", incarnation="i1"):
        self.service_id = service_id
        self.incarnation = incarnation
        self.capabilities = frozenset()
        self.listens = False
        self.outstanding = 0
        self.last_turn = 0
        self.calls = []
        self.canceled = []
        self.canceled_jobs = []
        self.asked_to_stop = asyncio.Event()
        self.acknowledged = []
        self.paused = False
        self.abandoned = []
        self.refuses = None

    def call(self, frame, raw, timeout, done):
        if self.refuses is not None:
            raise self.refuses
        self.calls.append((frame, raw, timeout, done))
        return frame.request_id

    def cancel(self, name, reason):
        self.canceled.append((name, reason))

    def cancel_job(self, job_id, reason):
        self.canceled_jobs.append((job_id, reason))
        self.asked_to_stop.set()

    def acknowledge(self, job_id, seq, *, stop):
        self.acknowledged.append((job_id, seq, stop))

    def pause(self):
        self.paused = True

    def proceed(self):
        self.paused = False

    def abandon(self, why):
        self.abandoned.append(why)


class RecordingSink:
    def __init__(self):
        self.events = []
        self.raws = []
        self.full = False
        self.told = asyncio.Event()

    def waiting(self, job_id):
        return [(event.seq, raw) for event, raw in zip(self.events, self.raws, strict=True) if event.job_id == job_id]

    def deliver(self, event, raw):
        self.told.set()
        self.events.append(event)
        self.raws.append(raw)


def instance(
    service_id="game-1",
    functions=("player.ban",),
    *,
    version="1.0.0",
    server=None,
    now=1000.0,
    attached=False,
    state=InstanceState.HEALTHY,
    manifest=b"",
):
    return Instance(
        service=Service(
            service_id=service_id,
            functions=tuple(FunctionRef(each, version) for each in functions),
            manifest_json=manifest,
        ),
        server=server or ScriptedGameServer(service_id),
        session_id="s1",
        state=state,
        last_seen=now,
        expires=None if attached else now + LIFE,
    )
