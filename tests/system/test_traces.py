"""One call is one trace, from its caller to the game server, and a collector sees every hop of it."""

import json

from tests.system.otlp_sink import Span, collecting
from tests.system.stage import Stage

ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{ID}-b7ad6b7169203331-01"
SECRET = "a-payload-nobody-else-should-read"


def by_name(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


async def test_a_call_is_one_trace_of_server_and_agent_with_the_id_its_answer_carried(stage: Stage) -> None:
    assert stage.session is not None
    async with collecting() as sink:
        variables = {"CROUPIER_TELEMETRY_OTLP_ENDPOINT": sink.address}
        for program in (stage.server, stage.agent):
            program.variables = variables
            await program.start()
        for program in (stage.game(), stage.foreign_game()):
            await program.start()
        await stage.reachable("echo")
        await stage.reachable("foreign.metadata")

        body = json.dumps({"function_id": "echo", "payload": {"said": SECRET}})
        async with stage.session.post(f"http://{stage.http}/api/invoke", data=body) as answer:
            assert answer.status == 200
            trace_id = answer.headers["X-Trace-Id"]
        _, metadata = await stage.post(
            "/api/invoke",
            {"function_id": "foreign.metadata"},
            headers={"traceparent": PARENT, "tracestate": "vendor=1"},
        )
        _, problem = await stage.invoke("no")
        job_id = await stage.start_job("count", {"to": 3})
        await stage.follow(job_id)

        spans = await sink.until(lambda spans: len(spans) >= 12)

    whole = [span for span in spans if span.trace_id == trace_id]
    entered, sent, forwarded = (by_name(whole, f"{verb} echo") for verb in ("POST", "send", "forward"))
    assert (entered.service, sent.service, forwarded.service) == (
        "croupier-server",
        "croupier-server",
        "croupier-agent",
    )
    assert (entered.parent_id, sent.parent_id, forwarded.parent_id) == ("", entered.span_id, sent.span_id)
    assert forwarded.attributes["croupier.service"] == sent.attributes["croupier.service"] == "game-1"
    assert sent.attributes["croupier.agent"] == "agent-1"
    assert entered.attributes["croupier.outcome"] == "ok"

    continued = [span for span in spans if span.trace_id == ID]
    assert by_name(continued, "POST foreign.metadata").parent_id == "b7ad6b7169203331"
    assert metadata["traceparent"] == f"00-{ID}-{by_name(continued, 'forward foreign.metadata').span_id}-01"
    assert (metadata["trace_id"], metadata["tracestate"]) == (ID, "vendor=1")

    refused = [span for span in spans if span.trace_id == problem["trace_id"]]
    assert {span.attributes["croupier.outcome"] for span in refused} == {"function_rejected"}
    assert not any(span.failed for span in refused)
    assert by_name(spans, "forward count").trace_id == by_name(spans, "POST count").trace_id
    assert not any(SECRET.encode() in body for body in sink.bodies)


async def test_calls_go_on_without_the_collector_which_is_complained_of_once(stage: Stage) -> None:
    for program in (stage.server, stage.agent):
        program.variables = {"CROUPIER_TELEMETRY_OTLP_ENDPOINT": "http://127.0.0.1:1"}
        await program.start()
    await stage.game().start()
    await stage.reachable("echo")
    for number in range(100):
        assert await stage.invoke("echo", {"n": number}) == (200, {"n": number})
    assert await stage.agent.stop() == 0
    assert await stage.server.stop() == 0
    for program in (stage.server, stage.agent):
        assert program.text().count("spans could not be sent to http://127.0.0.1:1") == 1
        assert "Traceback" not in program.text()
