"""What a process was told, as frozen values. Nothing else reads configuration files or environment variables.

    flags ──► environment ──► one YAML file ──► defaults          (the left one wins, field by field)
                                │
                    server:  edge:  agent:  client:  telemetry:            (`models.py`: one class per section)

`load` builds one section for a process and raises InvalidArgument with every fault in it; `check_file` lists every fault
of a whole file. Both name the place: file, line and column, or the variable, or the flag.
"""

from croupier.settings.faults import Fault
from croupier.settings.loading import check_file, load
from croupier.settings.models import (
    AgentSettings,
    CanarySettings,
    ClientSettings,
    EdgeSettings,
    LogFormat,
    LogLevel,
    PacksSettings,
    RoutingSettings,
    ServerSettings,
    TelemetrySettings,
)
from croupier.settings.token import ensure_token

__all__ = [
    "AgentSettings",
    "CanarySettings",
    "ClientSettings",
    "EdgeSettings",
    "Fault",
    "LogFormat",
    "LogLevel",
    "PacksSettings",
    "RoutingSettings",
    "ServerSettings",
    "TelemetrySettings",
    "check_file",
    "ensure_token",
    "load",
]
