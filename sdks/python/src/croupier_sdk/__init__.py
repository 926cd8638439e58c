"""Offer a game server's functions to Croupier, and call functions from anywhere."""

from croupier_sdk.errors import BadArgument, CallError, JobCancelled, KeyReused, OutcomeUnknown, Rejected, Unavailable
from croupier_sdk.functions.field import Field
from croupier_sdk.functions.signature import RawPayload
from croupier_sdk.invoker import InvokeOptions, Invoker, JobEvent
from croupier_sdk.keys import KeyStore
from croupier_sdk.objects.virtual_object import Operation, VirtualObject
from croupier_sdk.provider import Provider
from croupier_sdk.rpc.channel import Tls
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext, current_call

__all__ = [
    "BadArgument",
    "BlockingJobContext",
    "CallContext",
    "CallError",
    "Field",
    "InvokeOptions",
    "Invoker",
    "JobCancelled",
    "JobContext",
    "JobEvent",
    "KeyReused",
    "KeyStore",
    "Operation",
    "OutcomeUnknown",
    "Provider",
    "RawPayload",
    "Rejected",
    "Tls",
    "Unavailable",
    "VirtualObject",
    "current_call",
]
