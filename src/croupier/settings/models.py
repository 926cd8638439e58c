import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from croupier.settings.approvals import ApprovalsSettings
from croupier.settings.fields import (
    CertificateLife,
    DialAddresses,
    EdgeScopes,
    EnvNames,
    FilesByHost,
    Folder,
    HostName,
    HostNames,
    HostRules,
    IssuerUrl,
    Labels,
    Lifetime,
    ListenAddress,
    LocalAddress,
    LocalDialAddress,
    MaybeAddresses,
    Methods,
    Name,
    Networks,
    PublicNames,
    Ratio,
    RequestsPerSecond,
    Retention,
    ScopeNames,
    Seconds,
    SecretName,
    Text,
    Token,
    UpstreamUrl,
    Url,
    VariableName,
    VariablesByHost,
    mapping_of,
    parse_duration,
    pattern,
    travels_openly,
)


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


_FROZEN = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, defer_build=True)


class Settings(BaseModel):
    """One section of the file. Frozen; a key nobody knows is a fault."""

    model_config = _FROZEN

    section: ClassVar[str]
    variable_prefix: ClassVar[str]


class MachineSettings(Settings):
    """What every machine has that proves who it is: a server, an edge, an agent."""

    data: Folder
    ca: Folder | None = Field(
        None, description="file of the authority to trust, PEM; without it `ca.pem` of `identity` in the data folder"
    )
    cert: Folder | None = Field(
        None, description="file of its certificate, PEM; without it `cert.pem` of `identity` in the data folder"
    )
    key: Folder | None = Field(
        None, description="file of its certificate's key, PEM; without it `key.pem` of `identity` in the data folder"
    )
    insecure: bool = Field(
        False, description="whether to speak plain text though there is a certificate; on loopback only"
    )

    @model_validator(mode="after")
    def _whole_identity(self) -> Self:
        named = (self.ca, self.cert, self.key)
        if any(named) and not all(named):
            raise PydanticCustomError("setting", "ca, cert and key go together: name all three files or none")
        return self


class CanarySettings(BaseModel):
    """A share of the calls of one function goes to one version of it."""

    model_config = _FROZEN

    game_id: Name
    env: Name
    function_id: Text = Field(min_length=1)
    version: Text = Field(min_length=1)
    percent: float = Field(ge=0, le=100, allow_inf_nan=False)


class RoutingSettings(BaseModel):
    model_config = _FROZEN

    canary: Annotated[tuple[CanarySettings, ...], Field(max_length=1000)] = ()

    @field_validator("canary")
    @classmethod
    def _once_each(cls, rules: tuple[CanarySettings, ...]) -> tuple[CanarySettings, ...]:
        seen: set[tuple[str, str, str]] = set()
        for rule in rules:
            place = (rule.game_id, rule.env, rule.function_id)
            if place in seen:
                raise PydanticCustomError("setting", "two rules for one function of one game and env: keep one")
            seen.add(place)
        return rules


class PacksSettings(BaseModel):
    model_config = _FROZEN

    directories: Annotated[tuple[Folder, ...], Field(max_length=64, strict=False)] = ()
    """Folders of packs that are loaded as they lie, and again when they change."""
    trusted_keys: Folder | None = None
    """A file of public keys, one a line as OpenSSH writes them: whose signature an imported pack may carry."""
    allow_unsigned: bool = False
    """Whether packs without a signature of a trusted key may be imported."""


class WebSettings(BaseModel):
    """The page that browsers load."""

    model_config = _FROZEN

    directory: Folder | None = None
    """The folder that it was built into; without it the one of this installation."""


class SecretsSettings(BaseModel):
    """What seals the secrets that the server keeps: 32 random bytes as base64."""

    model_config = _FROZEN

    key_file: Folder | None = None
    """A file that nobody else can read."""
    key_env: VariableName | None = None
    """An environment variable."""
    key_command: Annotated[tuple[Text, ...], Field(max_length=64, strict=False)] = ()
    """A program and its arguments, run without a shell when the server starts: it prints the key."""
    previous_key_file: Folder | None = None
    """The key that was there before: what it seals is sealed with the new one at the next start."""
    previous_key_env: VariableName | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if sum(map(bool, (self.key_file, self.key_env, self.key_command))) > 1:
            raise PydanticCustomError("setting", "name one of key_file, key_env and key_command")
        if self.previous_key_file and self.previous_key_env:
            raise PydanticCustomError("setting", "name one of previous_key_file and previous_key_env")
        return self


class OidcSettings(BaseModel):
    """An identity provider that people log in by (OpenID Connect)."""

    model_config = _FROZEN

    issuer: IssuerUrl
    """Exactly as the provider writes it; its configuration is at `/.well-known/openid-configuration` below it."""
    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    client_secret_env: VariableName | None = None
    """The environment variable that holds the client's secret; without it and the file, the client has none."""
    client_secret_file: Folder | None = None
    client_secret_name: SecretName | None = None
    """Which secret the server keeps for that; it can be set once the server runs."""
    name: Text = "identity provider"
    """What the login page calls it."""
    scopes: Annotated[
        tuple[Annotated[str, pattern(r"[!#-\[\]-~]{1,128}", "write a scope's name, without spaces")], ...],
        Field(max_length=32, strict=False),
    ] = (
        "openid",
        "profile",
        "email",
    )
    groups_claim: Annotated[str, Field(min_length=1, max_length=256)] = "groups"
    """The claim of the ID token with the person's groups; `a.b` looks into `a`."""
    groups: Annotated[
        dict[
            Annotated[str, Field(min_length=1, max_length=256)],
            Annotated[
                tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(max_length=64, strict=False)
            ],
        ],
        Field(max_length=1_000),
    ] = Field(default_factory=dict)
    """What the provider's groups are called here; one that is not named counts for nothing. Without any, all keep their names."""
    allowed_domains: Annotated[tuple[HostName, ...], Field(max_length=100, strict=False)] = ()
    """Of verified mail addresses; empty lets in everybody whom the provider lets in."""
    timeout: Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=60)] = 10.0
    """How long the provider may take for one answer."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if sum(map(bool, (self.client_secret_env, self.client_secret_file, self.client_secret_name))) > 1:
            raise PydanticCustomError(
                "setting", "name one of client_secret_env, client_secret_file and client_secret_name"
            )
        if "openid" not in self.scopes:
            raise PydanticCustomError(
                "setting", "the scopes need `openid`: without it no provider says who somebody is"
            )
        return self


class ServerSettings(MachineSettings):
    section: ClassVar[str] = "server"
    variable_prefix: ClassVar[str] = "CROUPIER_SERVER_"

    http: ListenAddress = Field("127.0.0.1:8080", description="where the HTTP API listens; port 0 takes a free one")
    grpc: ListenAddress = Field("127.0.0.1:8443", description="where agents and gRPC callers are served")
    data: Folder = Field(Path("data/server"), description="folder of the database and of the keys")
    token: Token | None = Field(
        None,
        description="a bearer token that may do everything, for automation; without it people and API tokens come in only",
    )
    public_names: PublicNames = Field(
        (), description="names under which browsers and programs call this server, besides loopback names"
    )
    trusted_proxies: Networks = Field(
        (), description="addresses of proxies in front of this server, whose X-Forwarded-For is believed"
    )
    session_idle: Lifetime = Field(12 * 3_600.0, description="how long a session that nobody uses lasts")
    session_lifetime: Lifetime = Field(7 * 86_400.0, description="how long a session lasts at most")
    throttle_credential: RequestsPerSecond = Field(
        1_000.0, description="requests per second of one session or API token that are served; 0: as many as come"
    )
    throttle_address: RequestsPerSecond = Field(
        50.0, description="requests per second of one address without a credential that are served; 0: as many as come"
    )
    key_file: Folder | None = Field(
        None,
        description="the file of the deployment's key; without it one is made and kept in the file `key` of the data folder",
    )
    server_id: HostName = Field(default_factory=socket.gethostname, description="name of this server; the host's name")
    hosts: HostNames = Field(
        (), description="names and addresses under which others reach this server, for its certificate"
    )
    certificate_lifetime: CertificateLife = Field(
        7 * 86_400.0,
        description="how long the certificates live that this server issues; machines renew them by themselves",
    )
    http_tls: bool = Field(False, description="whether HTTP is HTTPS on loopback too; beyond loopback it always is")
    http_tls_cert: Folder | None = Field(
        None, description="file of the certificate chain for HTTPS, PEM; without it this server's own certificate"
    )
    http_tls_key: Folder | None = Field(None, description="file of the key for `http_tls_cert`, PEM")
    public_url: UpstreamUrl | None = Field(
        None, description="the address under which people open this server; notices link to it"
    )
    resume_window: Seconds = Field(
        10.0, description="how long an agent that lost its connection may resume its session"
    )
    job_lost_after: Seconds = Field(
        60.0, description="how long an agent may be away before the jobs it ran end as `lost`"
    )
    cancel_grace: Seconds = Field(
        30.0, description="how long a job that its agent was told to stop may take before it counts as canceled"
    )
    retention_calls: Retention = Field(
        30 * 86_400.0, description="how long ended calls stay in the database; at least a day"
    )
    retention_jobs: Retention = Field(
        30 * 86_400.0, description="how long the events and results of ended jobs stay in the database; at least a day"
    )
    retention_audit: Retention | None = Field(
        None, description="how long rows of the audit record stay in the database; at least a day; without it for ever"
    )
    retention_archive: bool = Field(
        True, description="whether what leaves the database goes to `objects` in the data folder; else it is deleted"
    )
    edges: MaybeAddresses = Field((), description="gRPC addresses of edges to dial; others may dial this server")
    link_token: Token | None = Field(
        None, description="what an edge and this server must both know; without it no edge is linked"
    )
    edge_scopes: EdgeScopes = Field(
        default_factory=dict,
        description="for which games and envs an edge may bring agents; one that is not named may for all",
    )
    games: ScopeNames = Field(
        (), description="games and their environments that are shown before anything else names them, as `game|env`"
    )
    production: EnvNames = Field(
        ("prod", "production", "live"), description="what environments are called that real players are on"
    )
    routing: Annotated[RoutingSettings, BeforeValidator(mapping_of)] = Field(
        default_factory=RoutingSettings,
        description="shares of calls that go to a new version, see below; in a variable as JSON",
    )
    secrets: Annotated[SecretsSettings, BeforeValidator(mapping_of)] = Field(
        default_factory=SecretsSettings,
        description="what seals secrets: key_file, key_env or key_command; without any, a key that comes of the deployment's, see below; in a variable as JSON",
    )
    packs: Annotated[PacksSettings, BeforeValidator(mapping_of)] = Field(
        default_factory=PacksSettings,
        description="where packs lie and whose are trusted, see below; in a variable as JSON",
    )
    web: Annotated[WebSettings, BeforeValidator(mapping_of)] = Field(
        default_factory=WebSettings,
        description="where the built page lies, see below; in a variable as JSON",
    )
    oidc: Annotated[OidcSettings | None, BeforeValidator(mapping_of)] = Field(
        None, description="an identity provider that people log in by, see below; in a variable as JSON"
    )
    approvals: Annotated[ApprovalsSettings, BeforeValidator(mapping_of)] = Field(
        default_factory=ApprovalsSettings,
        description="which calls somebody else has to approve, and who is told, see below; in a variable as JSON",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="the least severe line that is logged")
    log_format: LogFormat = Field(LogFormat.TEXT, description="one line of text, or one JSON object, per event")

    @model_validator(mode="after")
    def _whole_web_certificate(self) -> Self:
        if bool(self.http_tls_cert) != bool(self.http_tls_key):
            raise PydanticCustomError("setting", "http_tls_cert and http_tls_key go together: name both files or none")
        return self


class EdgeSettings(MachineSettings):
    section: ClassVar[str] = "edge"
    variable_prefix: ClassVar[str] = "CROUPIER_EDGE_"

    edge_id: HostName = Field(default_factory=socket.gethostname, description="name of this edge; the host's name")
    grpc: ListenAddress = Field(
        "127.0.0.1:9443", description="where agents, gRPC callers and servers that dial are served"
    )
    http: LocalAddress = Field("127.0.0.1:9080", description="where health and metrics are served")
    data: Folder = Field(Path("data/edge"), description="folder of its certificate")
    hosts: HostNames = Field((), description="names and addresses under which agents and servers reach this edge")
    servers: MaybeAddresses = Field((), description="gRPC addresses of servers to dial; others may dial this edge")
    link_token: Token = Field(description="what a server and this edge must both know")
    log_level: LogLevel = Field(LogLevel.INFO, description="the least severe line that is logged")
    log_format: LogFormat = Field(LogFormat.TEXT, description="one line of text, or one JSON object, per event")


class AgentSettings(MachineSettings):
    section: ClassVar[str] = "agent"
    variable_prefix: ClassVar[str] = "CROUPIER_AGENT_"

    agent_id: HostName = Field(default_factory=socket.gethostname, description="name of this agent; the host's name")
    game_id: Name = Field(description="the game whose servers attach here")
    env: Name = Field(description="the environment of that game, such as dev or prod")
    servers: DialAddresses = Field(("127.0.0.1:8443",), description="gRPC addresses of servers or edges, tried in turn")
    grpc: ListenAddress = Field("127.0.0.1:19090", description="where game servers and local callers are served")
    grpc_tls: bool = Field(
        False, description="whether game servers need a certificate on loopback too; beyond loopback they always do"
    )
    hosts: HostNames = Field(
        (), description="names and addresses under which game servers of other machines reach this agent"
    )
    http: LocalAddress = Field("127.0.0.1:19091", description="where health and metrics are served")
    rpc_addr: Text = Field("", description="the address under which a server could call this agent directly")
    data: Folder = Field(Path("data/agent"), description="folder of what must survive a restart")
    resume_window: Seconds = Field(
        3.0, description="how long a game server that lost its connection may resume its session"
    )
    cancel_grace: Seconds = Field(
        10.0, description="how long a job that was asked to stop may take before it counts as canceled"
    )
    job_lost_after: Seconds = Field(
        10.0, description="how long a game server may be away before the jobs it ran end as `lost`"
    )
    region: Text = Field("", description="shown in the registry")
    zone: Text = Field("", description="shown in the registry")
    labels: Labels = Field(default_factory=dict, description="shown in the registry")
    log_level: LogLevel = Field(LogLevel.INFO, description="the least severe line that is logged")
    log_format: LogFormat = Field(LogFormat.TEXT, description="one line of text, or one JSON object, per event")


class TelemetrySettings(Settings):
    """What server, edge and agent share about traces."""

    section: ClassVar[str] = "telemetry"
    variable_prefix: ClassVar[str] = "CROUPIER_TELEMETRY_"

    otlp_endpoint: Url | None = Field(
        None,
        description="the collector that spans are sent to by OTLP/HTTP, such as http://127.0.0.1:4318; none: no spans",
    )
    sample_ratio: Ratio = Field(
        1.0, description="the share of traces begun here that is recorded; others follow who began them"
    )


class ClientSettings(Settings):
    section: ClassVar[str] = "client"
    variable_prefix: ClassVar[str] = "CROUPIER_"

    url: Url = Field("http://127.0.0.1:8080", description="the server's HTTP API")
    ca: Folder | None = Field(
        None, description="whom to trust for an https:// url besides the system's authorities: a file, PEM"
    )
    token: Token | None = Field(None, description="sent as bearer token")
    game_id: Name | None = Field(None, description="the game that calls go to")
    env: Name | None = Field(None, description="the environment that calls go to")


class AdapterSettings(Settings):
    """What every adapter has. Tokens are named, never given: whoever lists the processes of a machine sees their flags."""

    agent: LocalDialAddress = Field("127.0.0.1:19090", description="the agent that it attaches to")
    service_id: HostName
    game_id: Name = Field(description="the game whose agent that is")
    env: Name = Field(description="the environment of that game, such as dev or prod")
    timeout: Seconds = Field(30.0, description="how long the other system may take to answer")
    max_answer: int = Field(
        8_000_000, ge=1_000, le=8_000_000, description="the largest answer in bytes that is passed on"
    )
    concurrency: int = Field(16, ge=1, le=1_000, description="requests at once to the other system; more wait")
    log_level: LogLevel = Field(LogLevel.INFO, description="the least severe line that is logged")
    log_format: LogFormat = Field(LogFormat.TEXT, description="one line of text, or one JSON object, per event")


class UpstreamSettings(AdapterSettings):
    """Of an adapter for one system."""

    url: UpstreamUrl
    token_env: VariableName | None = Field(
        None, description="the environment variable that holds the token to send; not the token itself"
    )
    token_file: Folder | None = Field(None, description="the file that holds the token to send")

    @model_validator(mode="after")
    def _one_safe_token(self) -> Self:
        if self.token_env and self.token_file:
            raise PydanticCustomError("setting", "token_env and token_file are both given: keep one")
        if (self.token_env or self.token_file) and travels_openly(self.url):
            raise PydanticCustomError(
                "setting", "the token would travel unencrypted: use an https:// url, or an address of this machine"
            )
        return self


class PromAdapterSettings(UpstreamSettings):
    section: ClassVar[str] = "adapter_prom"
    variable_prefix: ClassVar[str] = "CROUPIER_ADAPTER_PROM_"

    service_id: HostName = Field("adapter-prom", description="its name among the game servers of the agent")
    url: UpstreamUrl = Field(
        "http://127.0.0.1:9090", description="where Prometheus is, with its path prefix if it has one"
    )


class GrafanaAdapterSettings(UpstreamSettings):
    section: ClassVar[str] = "adapter_grafana"
    variable_prefix: ClassVar[str] = "CROUPIER_ADAPTER_GRAFANA_"

    service_id: HostName = Field("adapter-grafana", description="its name among the game servers of the agent")
    url: UpstreamUrl = Field(
        "http://127.0.0.1:3000", description="where Grafana is, with its path prefix if it has one"
    )


class AlertmanagerAdapterSettings(UpstreamSettings):
    section: ClassVar[str] = "adapter_alertmanager"
    variable_prefix: ClassVar[str] = "CROUPIER_ADAPTER_ALERTMANAGER_"

    service_id: HostName = Field("adapter-alertmanager", description="its name among the game servers of the agent")
    url: UpstreamUrl = Field(
        "http://127.0.0.1:9093", description="where Alertmanager is, with its path prefix if it has one"
    )


class HttpAdapterSettings(AdapterSettings):
    section: ClassVar[str] = "adapter_http"
    variable_prefix: ClassVar[str] = "CROUPIER_ADAPTER_HTTP_"

    service_id: HostName = Field("adapter-http", description="its name among the game servers of the agent")
    max_answer: int = Field(
        6_000_000, ge=1_000, le=6_000_000, description="the largest answer in bytes that is passed on"
    )
    allow: HostRules = Field(description="hosts that may be called: `host`, `host:port`, `*.suffix`")
    methods: Methods = Field(
        ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), description="methods that may be used"
    )
    allow_private: bool = Field(
        False, description="whether addresses of private networks may be called; link-local ones never are"
    )
    allow_loopback: bool = Field(False, description="whether addresses of this machine may be called")
    token_env: VariablesByHost = Field(
        default_factory=dict, description="for each host, the environment variable that holds its bearer token"
    )
    token_file: FilesByHost = Field(
        default_factory=dict, description="for each host, the file that holds its bearer token"
    )

    @model_validator(mode="after")
    def _one_token_each(self) -> Self:
        twice = sorted(self.token_env.keys() & self.token_file.keys())
        if twice:
            raise PydanticCustomError("setting", "two tokens are named for {host}: keep one", {"host": twice[0]})
        return self


SECTIONS: tuple[type[Settings], ...] = (
    ServerSettings,
    EdgeSettings,
    AgentSettings,
    ClientSettings,
    TelemetrySettings,
    PromAdapterSettings,
    HttpAdapterSettings,
    GrafanaAdapterSettings,
    AlertmanagerAdapterSettings,
)
