"""The sole place that builds things from settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tzlocal import get_localzone_name

from tinyagent.apps.base import Desktop
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.agent import Rules
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunService
from tinyagent.errors import ConfigurationError
from tinyagent.home import home_lock
from tinyagent.journal.audit import FileAuditLog
from tinyagent.journal.sqlite import SqliteJournal
from tinyagent.ports import Planner, ToolHost, ToolSelector, Writer
from tinyagent.secrets import secret
from tinyagent.settings import LlamaPlannerSettings, OpenAIPlannerSettings, PlannerSettings, Settings

if TYPE_CHECKING:
    from tinyagent.planners.examples import ExampleIndex, FindExamples
    from tinyagent.toolrag.model import NanoModel
    from tinyagent.workers.queue import WorkerQueue
    from tinyagent.writers.model import ChatModel

NANO, COMPACT, EXAMPLES = "nano", "compact", "examples"
GGUF_MAGIC = b"GGUF"
WRITING_SHARE = 0.7
"""The part of a call's time that a model may write for; the rest is for composing without it."""

BUNDLED_GGUF = Path("compact") / "compact-q8_0.gguf"


def models_folder() -> Path:
    """Where the bundled models lie: inside an installed package, beside the sources otherwise."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parents[1] / "models"


class SystemClock:
    """The computer's clock in the user's time zone: the named one, or the system's."""

    def __init__(self, zone: str = "") -> None:
        self._zone = ZoneInfo(zone) if zone else None

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone(self._zone)


@dataclass(frozen=True)
class Toolkit:
    """What understanding a request takes, without a journal and without acting."""

    selector: ToolSelector
    planners: PlannerCatalog
    tools: Sequence[ToolSpec]

    async def planner(self, name: str | None = None) -> Planner:
        """A loaded planner. Raises ModelNotFound or ModelUnavailable."""
        return await self.planners.get(self.planners.resolve(name))


def build_desktop(settings: Settings) -> Desktop:
    """The portable applications on the data folder."""
    from tinyagent.apps.portable import portable_desktop
    from tinyagent.apps.portable.files import desktop_opener
    from tinyagent.apps.zoom import DemoMeetings, ZoomMeetings
    from tinyagent.demo import OWNER

    keys, zone = settings.zoom, settings.timezone or get_localzone_name()
    key = secret("zoom.client_secret", keys.client_secret) if keys.client_id else ""
    zoom = ZoomMeetings(keys.account_id, keys.client_id, key, zone)
    return portable_desktop(
        settings.data,
        meetings=DemoMeetings() if settings.demo and zoom.unavailable() else zoom,
        folders=settings.search_folders,
        sender=settings.sender or (OWNER if settings.demo else ""),
        zone=ZoneInfo(zone),
        opener=desktop_opener() if settings.open_files else (),
        maps=settings.maps,
    )


def build_host(settings: Settings, writer: Writer) -> ToolHost:
    """Carries out calls where the settings say: on this computer, or by workers."""
    return build_workers(settings) or build_local_host(settings, writer)


def build_workers(settings: Settings) -> WorkerQueue | None:
    """The queue that workers take their calls from; None when calls are carried out in this process."""
    from tinyagent.tools.registry import BUILT_IN
    from tinyagent.workers.queue import WorkerQueue

    if settings.executor != "worker":
        return None
    own = settings.worker
    return WorkerQueue([tool.spec for tool in BUILT_IN], wait_s=own.wait_s, lease_s=own.lease_s)


def build_local_host(settings: Settings, writer: Writer) -> ToolHost:
    """The sixteen tools on this computer's desktop."""
    from tinyagent.tools.host import LocalToolHost

    return LocalToolHost(build_desktop(settings), writer, region=settings.phone_region, demo=settings.demo)


def build_writer(settings: Settings) -> Writer:
    """Who writes prose: the configured model for its roles, composed texts for all else."""
    from tinyagent.writers.chat import ChatWriter
    from tinyagent.writers.choosing import RoleWriter
    from tinyagent.writers.composed import ComposedWriter
    from tinyagent.writers.extractive import ExtractiveSummarizer, shorten

    composed = ComposedWriter(ExtractiveSummarizer(lambda texts: load_nano().embed(texts)))
    if settings.writer is None:
        return RoleWriter(None, composed, ())
    model = _chat_model(settings.writer.model, settings.writer.timeout_s)
    total = settings.call_deadline_s * WRITING_SHARE
    writer = ChatWriter(model, shorten, timeout_s=settings.writer.timeout_s, total_s=total)
    return RoleWriter(writer, composed, settings.writer.roles)


def _chat_model(settings: PlannerSettings, timeout_s: float) -> ChatModel:
    if isinstance(settings, OpenAIPlannerSettings):
        from tinyagent.writers.http_chat import HttpChat

        key = settings.api_key.get_secret_value() if settings.api_key else None
        return HttpChat(settings.base_url, settings.model, api_key=key, timeout_s=timeout_s)
    from tinyagent.planners.llama_chat import LlamaChat

    return LlamaChat(settings.path.expanduser(), context=settings.context, threads=settings.threads)


def build_toolkit(settings: Settings) -> Toolkit:
    """Tool RAG and planners, as configured. Raises ModelUnavailable when Tool RAG's files are faulty."""
    from tinyagent.toolrag.selector import ClassifierSelector
    from tinyagent.tools.registry import BUILT_IN

    model = load_nano()
    return Toolkit(ClassifierSelector(model), build_planners(settings), [tool.spec for tool in BUILT_IN])


_nano: list[NanoModel] = []


def load_nano() -> NanoModel:
    """The bundled network, loaded once: Tool RAG and the nano planner share its encoder pass."""
    if not _nano:
        from tinyagent.toolrag.model import NanoModel

        _nano.append(NanoModel.load(models_folder() / NANO))
    return _nano[0]


@asynccontextmanager
async def open_service(settings: Settings, workers: WorkerQueue | None = None) -> AsyncGenerator[RunService]:
    """The engine with everything it needs, alone on its home folder; closed at the end.

    `workers` carry out its calls where the server that is built around it has them.

    Raises Conflict, ConfigurationError, ModelUnavailable or JournalError.
    """
    with home_lock(settings):
        service = _build_service(settings, workers)
        try:
            await service.recover()
            yield service
        finally:
            await service.close()


def _build_service(settings: Settings, workers: WorkerQueue | None) -> RunService:
    toolkit = build_toolkit(settings)
    clock, writer = SystemClock(settings.timezone), build_writer(settings)
    limits = Limits(
        run_deadline_s=settings.run_deadline_s,
        call_deadline_s=settings.call_deadline_s,
        max_query_characters=settings.max_query_characters,
        max_active_runs=settings.max_active_runs,
    )
    return RunService(
        SqliteJournal(settings.journal),
        toolkit.planners,
        toolkit.selector,
        workers or build_host(settings, writer),
        Rules(build_policy(settings), FileAuditLog(settings.audit_file, clock), clock, writer),
        limits,
        settings.instructions,
    )


def build_policy(settings: Settings) -> Policy:
    """Who decides what. Raises ConfigurationError for an exception that fits no tool."""
    from tinyagent.tools.registry import BUILT_IN

    effects = {tool.spec.name: tool.spec.effect for tool in BUILT_IN}
    rules = settings.approvals
    for name, mode in rules.tools.items():
        if name not in effects:
            raise ConfigurationError(
                f"approvals.tools names {name}, which is no tool.", hint=f"Tools: {', '.join(effects)}."
            )
        if mode == "draft" and effects[name] != "send":
            raise ConfigurationError(
                f"approvals.tools sets {name} to draft, but it makes no drafts.",
                hint="Set it to ask or auto.",
            )
    return Policy(rules.send, rules.write, rules.open, rules.tools, rules.wait_s)


def build_planners(settings: Settings) -> PlannerCatalog:
    """The bundled planners and the configured ones. Nothing is loaded yet."""
    from tinyagent.toolrag.manifest import problem_in

    entries = [
        PlannerEntry(
            NANO,
            "bundled ONNX network that also is Tool RAG",
            _load_nano_planner,
            partial(problem_in, models_folder() / NANO),
            _size(models_folder() / NANO),
        ),
        *(
            _configured(name, planner, settings.planner_examples)
            for name, planner in _all_planners(settings).items()
        ),
    ]
    return PlannerCatalog(entries, settings.planner)


def _all_planners(settings: Settings) -> dict[str, PlannerSettings]:
    bundled = LlamaPlannerSettings(kind="llama", path=models_folder() / BUNDLED_GGUF)
    return {COMPACT: bundled, **settings.planners}


def _load_nano_planner() -> Planner:
    from tinyagent.planners.nano import NanoPlanner

    return NanoPlanner(load_nano())


def load_examples() -> ExampleIndex:
    """The bundled examples for planners. Raises ModelUnavailable when they are damaged or out of date."""
    from tinyagent.planners.examples import load_index
    from tinyagent.toolrag.manifest import check_contents

    folder = models_folder() / EXAMPLES
    check_contents(folder)
    return load_index(folder, encoder_digest())


def encoder_digest() -> str:
    """SHA-256 of the bundled encoder, whose vectors no other one can read. Raises ModelUnavailable."""
    from tinyagent.toolrag.manifest import MANIFEST, read_json, unavailable

    path = models_folder() / NANO / MANIFEST
    try:
        return str(read_json(path)["files"]["encoder.onnx"]["sha256"])
    except (KeyError, TypeError) as error:
        raise unavailable(path) from error


def _example_finder(count: int) -> FindExamples:
    from tinyagent.planners.examples import ExampleFinder, no_examples

    if not count:
        return no_examples
    return ExampleFinder(load_examples, lambda texts: load_nano().embed(texts), count)


def _configured(name: str, settings: PlannerSettings, examples: int) -> PlannerEntry:
    if isinstance(settings, OpenAIPlannerSettings):
        described = f"{settings.model} at {settings.base_url}"
        return PlannerEntry(name, described, partial(_load_openai, name, settings, examples), lambda: "")
    path = settings.path.expanduser()
    load: Callable[[], Planner] = partial(_load_llama, name, settings, path, examples)
    problem = partial(_broken_gguf, path)
    return PlannerEntry(name, f"{path.name} by llama.cpp", load, problem, _size(path))


def _broken_gguf(path: Path) -> str:
    """What is wrong with a GGUF file, as far as its first bytes tell."""
    try:
        with path.open("rb") as file:
            return "" if file.read(len(GGUF_MAGIC)) == GGUF_MAGIC else f"{path} is no GGUF file, or damaged"
    except FileNotFoundError:
        return f"{path} is missing"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"


def _size(path: Path) -> int | None:
    """Bytes of a file, or of the files in a folder; None when there is nothing."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size if path.is_file() else None


def _load_llama(name: str, settings: LlamaPlannerSettings, path: Path, examples: int) -> Planner:
    from tinyagent.planners.llama import LlamaPlanner

    return LlamaPlanner(
        path,
        name=name,
        profile=settings.profile,
        context=settings.context,
        threads=settings.threads,
        examples=_example_finder(examples),
    )


def _load_openai(name: str, settings: OpenAIPlannerSettings, examples: int) -> Planner:
    from tinyagent.planners.openai import OpenAIPlanner

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return OpenAIPlanner(
        settings.base_url,
        settings.model,
        name=name,
        api_key=key,
        timeout=settings.timeout_s,
        examples=_example_finder(examples),
    )
