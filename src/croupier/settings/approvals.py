"""When somebody else has to approve, and who is told of it."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from croupier.settings.fields import Name, Retention, Seconds, SecretName, Text, Token, travels_openly

_FROZEN = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, defer_build=True)

Risk = Literal["low", "medium", "high"]
_APPROVERS = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=100)]


def _webhook_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or "@" in urlsplit(url).netloc or any(character <= " " for character in url):
        raise PydanticCustomError("setting", "write https://host/…, without a user")
    if travels_openly(url):
        raise PydanticCustomError(
            "setting", "notices would travel unencrypted: use https://, or an address of this machine"
        )
    return value


SecretUrl = Annotated[SecretStr, Field(max_length=2000), AfterValidator(_webhook_url)]
"""Whoever knows the address of a chat's webhook can write there: it is kept like a token."""


class StageSettings(BaseModel):
    model_config = _FROZEN

    approvers: _APPROVERS = ()
    """`user:…`, `group:…`, `role:…` or bare names; none: whoever has approvals:decide."""
    threshold: int = Field(1, ge=1, le=20)


class ApprovalRuleSettings(BaseModel):
    """Calls that somebody else has to approve, whatever their description says."""

    model_config = _FROZEN

    name: Name
    functions: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)]
    """Ids, or with `*` at the end all that begin so."""
    game_id: Name | None = None
    env: Name | None = None
    when: Annotated[str, Field(max_length=4096)] = ""
    """A condition in CEL on the call; none: every call."""
    stages: Annotated[tuple[StageSettings, ...], Field(min_length=1, max_length=10)] = (StageSettings(threshold=1),)
    expires: Seconds | None = None
    reason: bool = False
    ticket: bool = False
    proof: bool = False


class WebhookFormat(StrEnum):
    GENERIC = "generic"
    SLACK = "slack"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECOM = "wecom"


class WebhookSettings(BaseModel):
    """Somebody outside who is told. Only these addresses are ever called, and no redirect is followed."""

    model_config = _FROZEN

    name: Name
    url: SecretUrl
    format: WebhookFormat = WebhookFormat.GENERIC
    secret: Token | None = None
    """What notices are signed with; DingTalk and Feishu give one."""
    secret_name: SecretName | None = None
    """Instead of it, which secret the server keeps for that."""
    allow_private: bool = False
    allow_loopback: bool = False

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret is not None and self.secret_name is not None:
            raise PydanticCustomError("setting", "secret and secret_name are both given: keep one")
        return self

    @field_validator("format", mode="before")
    @classmethod
    def _spelled(cls, value: object) -> object:
        return WebhookFormat(value) if isinstance(value, str) and value in list(WebhookFormat) else value


class ApprovalsSettings(BaseModel):
    model_config = _FROZEN

    risks: Annotated[tuple[Risk, ...], Field(max_length=3)] = ()
    """Functions of these levels of risk need an approval even where their description does not ask for one."""
    proof_risks: Annotated[tuple[Risk, ...], Field(max_length=3)] = ("high",)
    """To approve these, an approver proves identity again."""
    expires: Seconds = 86_400.0
    """How long a request waits, unless its rule says otherwise; at most a day."""
    reason: bool = False
    """Whether every request needs a reason."""
    ticket: bool = False
    """Whether every request needs a ticket."""
    retention: Retention = 400 * 86_400.0
    """How long approvals that have ended are kept; at least a day."""
    rules: Annotated[tuple[ApprovalRuleSettings, ...], Field(max_length=1000)] = ()
    webhooks: Annotated[tuple[WebhookSettings, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for what, names in (
            ("rules", [rule.name for rule in self.rules]),
            ("webhooks", [webhook.name for webhook in self.webhooks]),
        ):
            if len(set(names)) != len(names):
                raise PydanticCustomError("setting", "two {what} of one name: name them apart", {"what": what})
        return self
