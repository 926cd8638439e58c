"""Offer a game server's functions to Croupier, and call functions from anywhere."""

from croupier_sdk.errors import CallError, JobCancelled, KeyReused, Rejected
from croupier_sdk.functions.field import Field
from croupier_sdk.functions.signature import RawPayload
from croupier_sdk.invoker import InvokeOptions, Invoker, JobEvent
from croupier_sdk.keys import KeyStore
from croupier_sdk.objects.virtual_object import Operation, VirtualObject
from croupier_sdk.provider import Provider
from croupier_sdk.rpc.channel import Tls
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext, current_call

__all__ = [
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
    "Provider",
    "RawPayload",
    "Rejected",
    "Tls",
    "VirtualObject",
    "current_call",
]
