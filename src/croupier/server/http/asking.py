"""What the framework's handlers share: who asks, and how they are answered."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from croupier.descriptors import FaultyDescriptor
from croupier.errors import CroupierError, InvalidArgument, NotFound
from croupier.server.http.documents import to_json
from croupier.server.http.exchange import Answer, Exchange
from croupier.server.http.openapi import reference
from croupier.server.http.problems import MethodNotAllowed, known

EXCHANGE = "croupier.exchange"
"""Where handlers find the `Exchange` in the ASGI scope."""

ANSWERS_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any failure.",
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }
}


async def exchange_of(request: Request) -> Exchange:
    exchange: Exchange = request.scope[EXCHANGE]
    return exchange


Asking = Annotated[Exchange, Depends(exchange_of)]


def json_answer(value: object) -> Response:
    """`value` as it is: response models only describe."""
    return Response(to_json(value), media_type="application/json")


async def answer_failure(request: Request, error: Exception) -> Response:
    """The problem document of whatever a handler raised."""
    exchange = await exchange_of(request)
    return _response(exchange.refusal(known(error, exchange.call_id, exchange.trace_id)))


async def answer_stale(request: Request, error: Exception) -> Response:
    """The problem document where `If-Match` names what is not there any more (RFC 9110, section 13.1.1)."""
    exchange = await exchange_of(request)
    return _response(exchange.refusal(known(error, exchange.call_id, exchange.trace_id), status=412))


async def answer_faulty(request: Request, error: Exception) -> Response:
    """The problem document of a description or a pack, with each of its faults."""
    exchange = await exchange_of(request)
    faults = error.faults if isinstance(error, FaultyDescriptor) else ()
    errors = [
        {"file": each.file, "path": each.path, "message": each.message.en, "message_zh": each.message.zh}
        for each in faults
    ]
    return _response(exchange.refusal(known(error, exchange.call_id, exchange.trace_id), errors=errors))


async def answer_refusal(request: Request, error: Exception) -> Response:
    """The problem document where no handler was found: the framework says so by status alone."""
    exchange = await exchange_of(request)
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = error.headers if isinstance(error, HTTPException) and error.headers else {}
    headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    return _response(exchange.refusal(_refused(status, exchange), status=status, headers=headers))


async def answer_invalid(request: Request, error: Exception) -> Response:
    """The problem document of parameters that are missing or malformed, each named."""
    exchange = await exchange_of(request)
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"path": ".".join(map(str, fault["loc"])), "message": str(fault["msg"])} for fault in found]
    told = "; ".join(f"{fault['path']}: {fault['message']}" for fault in errors)
    return _response(exchange.refusal(InvalidArgument(f"the request is wrong: {told}"), errors=errors))


def _refused(status: int, exchange: Exchange) -> CroupierError:
    match status:
        case 404:
            return NotFound(f"there is nothing at {exchange.path[:200]}: /api/openapi.json lists every address")
        case 405:
            return MethodNotAllowed(f"{exchange.method} is not possible here: see the Allow header")
        case _:
            return InvalidArgument("the request cannot be served")


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    return response
