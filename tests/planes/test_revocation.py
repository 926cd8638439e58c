"""Who is put out at a running server follows nothing any more, by whichever protocol."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.planes.scripted_agent import Server, attached, running, within

from croupier_wire.function.v1 import function_pb2, function_pb2_grpc

PASSWORD = "correct horse battery"


@dataclass
class Somebody:
    """An account that may read jobs, with a token."""

    server: Server
    user_id: str
    token_id: str
    text: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.text}"),)


async def asked(server: Server, method: str, path: str, **sent: Any) -> Any:
    reply = await server.request(method, path, **sent)
    assert reply.status in {200, 204}, reply.body
    return reply.json if reply.body else None


async def somebody(server: Server) -> Somebody:
    made = await asked(server, "POST", "/api/users", json={"name": "ci", "password": PASSWORD, "groups": ["ops"]})
    user_id = made["user"]["user_id"]
    await asked(server, "POST", "/api/bindings", json={"subject": f"user:{user_id}", "role": "viewer"})
    body = {"name": "x", "expires_in": "1h", "user_id": user_id}
    token = await asked(server, "POST", "/api/tokens", json=body)
    return Somebody(server, user_id, token["entry"]["token_id"], token["token"])


async def token_revoked(who: Somebody) -> None:
    await asked(who.server, "DELETE", f"/api/tokens/{who.token_id}")


async def user_disabled(who: Somebody) -> None:
    await asked(who.server, "POST", f"/api/users/{who.user_id}/disable")


async def all_revoked(who: Somebody) -> None:
    await asked(who.server, "POST", f"/api/users/{who.user_id}/revoke")


async def group_left(who: Somebody) -> None:
    await asked(who.server, "PATCH", f"/api/users/{who.user_id}", json={"groups": []})


async def role_lost(who: Somebody) -> None:
    bindings = (await asked(who.server, "GET", "/api/bindings"))["bindings"]
    (mine,) = [each for each in bindings if who.user_id in str(each)]
    await asked(who.server, "DELETE", f"/api/bindings/{mine['binding_id']}")


@pytest.mark.parametrize("act", [token_revoked, user_disabled, all_revoked, group_left, role_lost])
async def test_who_is_put_out_follows_no_job_over_grpc(
    tmp_path: Path, act: Callable[[Somebody], Awaitable[None]]
) -> None:
    async with running(tmp_path) as server, attached(server) as agent:
        job_id = await server.started()
        who = await somebody(server)
        async with grpc.aio.insecure_channel(server.info.grpc) as channel:
            stub: Any = function_pb2_grpc.FunctionServiceStub(channel)
            request = function_pb2.JobStreamRequest(job_id=job_id)
            story = aiter(stub.StreamJob(request, metadata=who.metadata))
            agent.tell(job_id, 1, message="begun")
            assert (await within(anext(story))).message == "begun"
            await act(who)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await within(anext(story))
            assert ended.value.code() == grpc.StatusCode.UNAUTHENTICATED
