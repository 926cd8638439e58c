"""What a process was told, as frozen values. Nothing else reads configuration files or environment variables.

    flags ──► environment ──► one YAML file ──► defaults          (the left one wins, field by field)
                                │
                    server:  edge:  agent:  client:  telemetry:  adapter_*:          (`models.py`: one class per section)

`load` builds one section for a process and raises InvalidArgument with every fault in it; `check_file` lists every fault
of a whole file. Both name the place: file, line and column, or the variable, or the flag.
"""

from croupier.settings.approvals import ApprovalRuleSettings, ApprovalsSettings, WebhookFormat, WebhookSettings
from croupier.settings.credentials import read_credential
from croupier.settings.faults import Fault
from croupier.settings.loading import check_file, load
from croupier.settings.models import (
    AdapterSettings,
    AgentSettings,
    AlertmanagerAdapterSettings,
    CanarySettings,
    ClientSettings,
    EdgeSettings,
    GrafanaAdapterSettings,
    HttpAdapterSettings,
    LogFormat,
    LogLevel,
    MachineSettings,
    OidcSettings,
    PacksSettings,
    PromAdapterSettings,
    RoutingSettings,
    SecretsSettings,
    ServerSettings,
    TelemetrySettings,
    UpstreamSettings,
)
from croupier.settings.secret_key import read_secret_key
from croupier.settings.token import ensure_token

__all__ = [
    "AdapterSettings",
    "AgentSettings",
    "AlertmanagerAdapterSettings",
    "ApprovalRuleSettings",
    "ApprovalsSettings",
    "CanarySettings",
    "ClientSettings",
    "EdgeSettings",
    "Fault",
    "GrafanaAdapterSettings",
    "HttpAdapterSettings",
    "LogFormat",
    "LogLevel",
    "MachineSettings",
    "OidcSettings",
    "PacksSettings",
    "PromAdapterSettings",
    "RoutingSettings",
    "SecretsSettings",
    "ServerSettings",
    "TelemetrySettings",
    "UpstreamSettings",
    "WebhookFormat",
    "WebhookSettings",
    "check_file",
    "ensure_token",
    "load",
    "read_credential",
    "read_secret_key",
]
