"""Settings: defaults < config.toml < environment (TINYAGENT_*) < command-line flags.

`config.toml` lies in the home folder. Every fault is reported at once.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from platformdirs import user_data_path, user_documents_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from tinyagent.errors import ConfigurationError
from tinyagent.settings.faults import fault_sentences, faulty_variable
from tinyagent.settings.sections import (
    DAY_S,
    Approval,
    ApprovalSettings,
    DavSettings,
    ImapSettings,
    LlamaPlannerSettings,
    McpServerSettings,
    OpenAIPlannerSettings,
    PlannerSettings,
    SmtpSettings,
    TelemetrySettings,
    WorkerSettings,
    WriterSettings,
    ZoomSettings,
)

__all__ = [
    "Approval",
    "ApprovalSettings",
    "DavSettings",
    "ImapSettings",
    "LlamaPlannerSettings",
    "McpServerSettings",
    "OpenAIPlannerSettings",
    "PlannerSettings",
    "Settings",
    "SmtpSettings",
    "TelemetrySettings",
    "WorkerSettings",
    "WriterSettings",
    "ZoomSettings",
    "load_settings",
]

CONFIG_FILE = "config.toml"
HOME_VARIABLE = "TINYAGENT_HOME"
PREFIX = "TINYAGENT_"


class Settings(BaseSettings):
    """All settings of a server and of the command line."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
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
    phone_region: str = Field(default="US", description="Country of numbers without prefix.")
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
    run_deadline_s: float = Field(
        default=300.0, gt=0, le=DAY_S, description="How long a run may take, in seconds."
    )
    call_deadline_s: float = Field(
        default=60.0, gt=0, le=DAY_S, description="How long a call may take, in seconds."
    )
    max_query_characters: int = Field(default=8000, ge=1, description="Longest request.")
    requests_per_minute: int = Field(
        default=600, ge=1, description="Requests that one token may send in a minute."
    )
    tool_files: list[Path] = Field(default=[], description="Python files with tools of your own.")
    mcp: dict[str, McpServerSettings] = Field(default={}, description="Servers with further tools by name.")
    telemetry: TelemetrySettings = TelemetrySettings()
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

    @field_validator("phone_region")
    @classmethod
    def _country(cls, region: str) -> str:
        if not re.fullmatch("[A-Z]{2}", region):
            raise ValueError("must be two capital letters, such as US")
        return region

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name and name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; write it like Europe/Berlin")
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
        faults = "\n".join(f"  {fault}" for fault in fault_sentences(error, Settings))
        raise ConfigurationError(
            f"The settings are not valid:\n{faults}", hint=f"Mend {config} or the TINYAGENT_* variables."
        ) from error
    except SettingsError as error:
        raise ConfigurationError(
            f"{faulty_variable(error, PREFIX)} is not valid.",
            hint='Lists and sections are written as JSON, such as ["/home/me/papers"].',
        ) from error
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{config} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Mend or remove the file, or choose another folder with --home.",
        ) from error
