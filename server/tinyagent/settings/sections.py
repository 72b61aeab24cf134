"""The sections of the settings."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

DAY_S = 86_400.0
"""No wait is longer."""

_KEYCHAIN = "Better kept in the keychain: `tinyagent secret set`."


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _web_address(text: str) -> str:
    with suppress(ValueError):  # of an address in brackets, or of a port beyond the last one
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text
    raise ValueError("must be an address such as http://127.0.0.1:8000/v1")


def _server_name(text: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_address(text))
    if not re.fullmatch(r"[\w.-]+", text):
        raise ValueError("must be the name of a server alone, such as mail.example.com")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
ServerName = Annotated[str, AfterValidator(_server_name)]


class LlamaPlannerSettings(_Section):
    """A GGUF file run by llama.cpp."""

    kind: Literal["llama"]
    path: Path = Field(description="The GGUF file.")
    profile: Literal["compact", "tinyagent-1.1b", "tinyagent-7b", "chat"] | None = Field(
        default=None, description="Prompt format; recognized from the file when left out."
    )
    context: int = Field(default=4096, ge=256, description="Window in tokens.")
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads; one for files under 64 MiB, else up to eight, when left out.",
    )


class OpenAIPlannerSettings(_Section):
    """A model behind an OpenAI-compatible URL (vLLM, llama-server, Ollama, a cloud)."""

    kind: Literal["openai"]
    base_url: WebAddress = Field(description="Up to and including /v1.")
    model: str = Field(description="The model's name there.")
    api_key: SecretStr | None = Field(default=None, description="Sent as a bearer token.")
    timeout_s: float = Field(
        default=60.0, gt=0, le=DAY_S, description="Longest silence of the model, in seconds."
    )


PlannerSettings = Annotated[LlamaPlannerSettings | OpenAIPlannerSettings, Field(discriminator="kind")]


class ZoomSettings(_Section):
    """Credentials of a server-to-server OAuth app of Zoom."""

    account_id: str = Field(default="", description="The account's ID.")
    client_id: str = Field(default="", description="The app's client ID.")
    client_secret: SecretStr = Field(default=SecretStr(""), description=_KEYCHAIN)


Approval = Literal["draft", "ask", "auto"]


class ApprovalSettings(_Section):
    """Who decides whether a call is carried out: `ask` asks first, `auto` does it, `draft` never sends."""

    send: Approval = Field(
        default="draft", description="Mail and messages: only drafted, asked for, or sent."
    )
    write: Literal["ask", "auto"] = Field(
        default="auto", description="Events, reminders, notes, meetings, drafts."
    )
    open: Literal["ask", "auto"] = Field(default="auto", description="Showing files and maps.")
    tools: dict[str, Approval] = Field(default={}, description="Exceptions by the tool's name.")
    wait_s: float = Field(
        default=300.0, gt=0, le=DAY_S, description="How long an answer is waited for, in seconds."
    )


class WriterSettings(_Section):
    """The model that writes prose; what it does not write is composed without a model."""

    model: PlannerSettings = Field(description="A GGUF file or an OpenAI-compatible URL, as for planners.")
    roles: list[Literal["email", "note", "summary", "answer"]] = Field(
        default=["email", "note", "summary", "answer"], description="What it writes."
    )
    timeout_s: float = Field(
        default=30.0, gt=0, le=DAY_S, description="Longest time for one text, in seconds."
    )


class ImapSettings(_Section):
    """The account that drafts are put into and mail is read from."""

    host: ServerName = Field(description="The IMAP server.")
    port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    user: str = Field(description="The account's name there.")
    password: SecretStr = Field(default=SecretStr(""), description=_KEYCHAIN)
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="`none` only for loopback."
    )


class SmtpSettings(_Section):
    """The server that mail is sent by."""

    host: ServerName = Field(description="The SMTP server.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    user: str = Field(default="", description="The account's name there; empty when none is needed.")
    password: SecretStr = Field(default=SecretStr(""), description=_KEYCHAIN)
    security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="`none` only for loopback."
    )


class DavSettings(_Section):
    """A CalDAV or CardDAV account: iCloud, Fastmail, Nextcloud, Radicale."""

    url: str = Field(description="The server, or the account's address on it.")
    user: str = Field(default="", description="The account's name there.")
    password: SecretStr = Field(default=SecretStr(""), description=_KEYCHAIN)


class WorkerSettings(_Section):
    """What a worker on this computer may do, and how a server treats its workers."""

    tools: list[str] = Field(
        default=[], description="The tools that this worker carries out; all when empty."
    )
    name: str = Field(default="", description="How it is called; the computer's name when empty.")
    wait_s: float = Field(
        default=20.0, gt=0, le=DAY_S, description="How long a call waits for a worker to take it."
    )
    lease_s: float = Field(
        default=15.0, gt=0, le=DAY_S, description="Longest silence of a worker that carries out a call."
    )


class McpServerSettings(_Section):
    """A server of the Model Context Protocol whose tools the agent may use."""

    command: list[str] = Field(default=[], description="Program and arguments of a server on this computer.")
    env: dict[str, str] = Field(default={}, description="Variables for that program.")
    url: WebAddress | None = Field(default=None, description="Address of a server that is reached by HTTP.")
    token: SecretStr = Field(default=SecretStr(""), description=_KEYCHAIN)
    approval: Literal["ask", "reads", "auto"] = Field(
        default="reads",
        description="Every call is asked for, all but those that only read (as the server says), or none.",
    )
    tools: list[str] = Field(default=[], description="The tools that may be used; all when empty.")
    timeout_s: float = Field(
        default=30.0, gt=0, le=DAY_S, description="Longest time for one answer, in seconds."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.command and self.url is not None:
            raise ValueError("has both a command and a url; a server is reached in one way")
        if not self.command and self.url is None:
            raise ValueError("needs a command or a url")
        return self


class TelemetrySettings(_Section):
    """What is told about the server's work; never what is asked or answered."""

    otlp_endpoint: WebAddress | None = Field(
        default=None, description="Traces are sent there by OpenTelemetry's protocol, over HTTP."
    )
    log: Literal["text", "json"] = Field(default="text", description="Form of the log's lines.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="What is logged at least."
    )
