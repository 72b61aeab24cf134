"""Settings: defaults < config.toml < environment (TINYAGENT_*) < command-line flags.

`config.toml` lies in the home folder. Every fault is reported at once.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from platformdirs import user_data_path, user_documents_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from tinyagent.errors import ConfigurationError

CONFIG_FILE = "config.toml"
HOME_VARIABLE = "TINYAGENT_HOME"


_SECRET = "Better kept in the keychain: `tinyagent secret set`."


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
    base_url: str = Field(description="Up to and including /v1.")
    model: str = Field(description="The model's name there.")
    api_key: SecretStr | None = Field(default=None, description="Sent as a bearer token.")
    timeout_s: float = Field(default=60.0, gt=0, description="Longest silence of the model, in seconds.")


PlannerSettings = Annotated[LlamaPlannerSettings | OpenAIPlannerSettings, Field(discriminator="kind")]


class ZoomSettings(_Section):
    """Credentials of a server-to-server OAuth app of Zoom."""

    account_id: str = Field(default="", description="The account's ID.")
    client_id: str = Field(default="", description="The app's client ID.")
    client_secret: SecretStr = Field(default=SecretStr(""), description=_SECRET)


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
    wait_s: float = Field(default=300.0, gt=0, description="How long an answer is waited for, in seconds.")


class WriterSettings(_Section):
    """The model that writes prose; what it does not write is composed without a model."""

    model: PlannerSettings = Field(description="A GGUF file or an OpenAI-compatible URL, as for planners.")
    roles: list[Literal["email", "note", "summary", "answer"]] = Field(
        default=["email", "note", "summary", "answer"], description="What it writes."
    )
    timeout_s: float = Field(default=30.0, gt=0, description="Longest time for one text, in seconds.")


class ImapSettings(_Section):
    """The account that drafts are put into and mail is read from."""

    host: str = Field(description="The IMAP server.")
    port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    user: str = Field(description="The account's name there.")
    password: SecretStr = Field(default=SecretStr(""), description=_SECRET)
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="`none` only for loopback."
    )


class SmtpSettings(_Section):
    """The server that mail is sent by."""

    host: str = Field(description="The SMTP server.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    user: str = Field(default="", description="The account's name there; empty when none is needed.")
    password: SecretStr = Field(default=SecretStr(""), description=_SECRET)
    security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="`none` only for loopback."
    )


class DavSettings(_Section):
    """A CalDAV or CardDAV account: iCloud, Fastmail, Nextcloud, Radicale."""

    url: str = Field(description="The server, or the account's address on it.")
    user: str = Field(default="", description="The account's name there.")
    password: SecretStr = Field(default=SecretStr(""), description=_SECRET)


class WorkerSettings(_Section):
    """What a worker on this computer may do, and how a server treats its workers."""

    tools: list[str] = Field(
        default=[], description="The tools that this worker carries out; all when empty."
    )
    name: str = Field(default="", description="How it is called; the computer's name when empty.")
    wait_s: float = Field(default=20.0, gt=0, description="How long a call waits for a worker to take it.")
    lease_s: float = Field(
        default=15.0, gt=0, description="Longest silence of a worker that carries out a call."
    )


class Settings(BaseSettings):
    """All settings of a server and of the command line."""

    model_config = SettingsConfigDict(
        env_prefix="TINYAGENT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    home: Path = Field(description="Folder of config, data, journal and token.")
    host: str = Field(
        default="127.0.0.1", description="Address to serve on; others than loopback need a token."
    )
    port: int = Field(default=8765, ge=0, le=65535, description="Port to serve on.")
    token: SecretStr | None = Field(
        default=None, description="Access token; made and kept in a file if left out."
    )
    allowed_hosts: list[str] = Field(
        default=[], description="Further Host names (name or name:port) of clients."
    )
    allowed_origins: list[str] = Field(default=[], description="Web origins that may call the API.")
    planner: str = Field(default="nano", description="The planner of requests that name none.")
    planners: dict[str, PlannerSettings] = Field(default={}, description="Further planners by name.")
    planner_examples: int = Field(
        default=3, ge=0, le=10, description="Solved requests shown to planners that read instructions."
    )
    instructions: str = Field(default="", description="Told to planners that read instructions.")
    folders: list[Path] = Field(default=[], description="Where files are looked for; ~/Documents when empty.")
    open_files: bool = Field(default=False, description="Show found files on the desktop.")
    phone_region: str = Field(
        default="US", pattern="^[A-Z]{2}$", description="Country of numbers without prefix."
    )
    timezone: str = Field(default="", description="IANA name of your time zone; the system's when empty.")
    sender: str = Field(default="", description="Your own mail address, the From of drafts.")
    maps: Literal["apple", "openstreetmap"] = Field(default="apple", description="Which maps links open.")
    demo: bool = Field(default=False, description="Obviously fake links for services without credentials.")
    zoom: ZoomSettings = ZoomSettings()
    apps: Literal["auto", "portable", "macos"] = Field(
        default="auto", description="Whose applications: macOS's own on a Mac, open formats elsewhere."
    )
    executor: Literal["local", "worker"] = Field(
        default="local", description="Where calls are carried out: here, or by `tinyagent worker`."
    )
    approvals: ApprovalSettings = ApprovalSettings()
    writer: WriterSettings | None = Field(default=None, description="The model that writes prose, if any.")
    imap: ImapSettings | None = Field(default=None, description="Drafts go into this mail account.")
    smtp: SmtpSettings | None = Field(default=None, description="Mail is sent by this server.")
    caldav: DavSettings | None = Field(default=None, description="Events and reminders go there.")
    carddav: DavSettings | None = Field(default=None, description="Contacts are read from there.")
    worker: WorkerSettings = WorkerSettings()
    run_deadline_s: float = Field(default=300.0, gt=0, description="How long a run may take, in seconds.")
    call_deadline_s: float = Field(default=60.0, gt=0, description="How long a call may take, in seconds.")
    max_query_characters: int = Field(default=8000, ge=1, description="Longest request.")
    max_active_runs: int = Field(default=16, ge=1, description="Runs at the same time.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home: Path = init_settings()["home"]
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / CONFIG_FILE)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name and name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}")
        return name

    @property
    def data(self) -> Path:
        """Where the portable apps keep their files."""
        return self.home / "data"

    @property
    def documents(self) -> Path:
        """Where the demo puts its documents."""
        return self.home / "documents"

    @property
    def journal(self) -> Path:
        return self.home / "journal.sqlite3"

    @property
    def token_file(self) -> Path:
        return self.home / "token"

    @property
    def worker_token_file(self) -> Path:
        return self.home / "worker-token"

    @property
    def audit_file(self) -> Path:
        return self.home / "audit.jsonl"

    @property
    def search_folders(self) -> list[Path]:
        """Where files are looked for."""
        return self.folders or [self.documents, user_documents_path()]


def load_settings(**overrides: Any) -> Settings:
    """Read all sources; `overrides` are flags (None counts as not given).

    Raises ConfigurationError that names every fault.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    home = given.get("home") or os.environ.get(HOME_VARIABLE) or user_data_path("tinyagent")
    given["home"] = Path(home).expanduser().absolute()
    config = given["home"] / CONFIG_FILE
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(
            f"The settings are not valid:\n{faults}", hint=f"Mend {config} or the TINYAGENT_* variables."
        ) from error
    except SettingsError as error:
        raise ConfigurationError(
            f"A TINYAGENT_* variable is not valid: {error}.",
            hint='Lists and sections are written as JSON, such as ["/home/me/papers"].',
        ) from error
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{config} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Mend or remove the file, or choose another folder with --home.",
        ) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "settings"
