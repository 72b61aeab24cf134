"""Tool RAG and the planners, from settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tinyagent.bootstrap.chatting import LlamaFiles, can_chat, load_chat
from tinyagent.bootstrap.models import BUNDLED_GGUF, COMPACT, NANO, load_examples, load_nano, models_folder
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.ports import Planner, ToolSelector
from tinyagent.settings import LlamaPlannerSettings, OpenAIPlannerSettings, PlannerSettings, Settings

if TYPE_CHECKING:
    from tinyagent.planners.examples import FindExamples

GGUF_MAGIC = b"GGUF"

WRITER = "writer"
"""What the model for texts is called where a client may name it."""


@dataclass(frozen=True)
class Toolkit:
    """What understanding a request takes, without a journal and without acting."""

    selector: ToolSelector
    planners: PlannerCatalog
    tools: Sequence[ToolSpec]
    files: LlamaFiles
    """The GGUF files in use, for others that use them too."""

    async def planner(self, name: str | None = None) -> Planner:
        """A loaded planner. Raises ModelNotFound or ModelUnavailable."""
        return await self.planners.get(self.planners.resolve(name))


def build_toolkit(settings: Settings) -> Toolkit:
    """Tool RAG and planners, as configured. Raises ModelUnavailable when Tool RAG's files are faulty."""
    from tinyagent.toolrag.descriptions import Descriptions
    from tinyagent.toolrag.selector import ClassifierSelector
    from tinyagent.tools.registry import BUILT_IN

    model, files = load_nano(), LlamaFiles()
    planners = build_planners(settings, files)
    return Toolkit(
        ClassifierSelector(model, descriptions=Descriptions(model.embed)),
        planners,
        [tool.spec for tool in BUILT_IN],
        files,
    )


def build_planners(settings: Settings, files: LlamaFiles | None = None) -> PlannerCatalog:
    """The bundled planners, the configured ones and the model for texts. Nothing is loaded yet.

    `files` are the GGUF files that others use too.
    """
    from tinyagent.toolrag.manifest import problem_in

    files = files or LlamaFiles()
    entries = [
        PlannerEntry(
            NANO,
            "bundled ONNX network that also is Tool RAG",
            _load_nano_planner,
            partial(problem_in, models_folder() / NANO),
            _size(models_folder() / NANO),
        ),
        *(
            _configured(name, planner, settings.planner_examples, files)
            for name, planner in _all_planners(settings).items()
        ),
        *_writer(settings, files),
    ]
    return PlannerCatalog(entries, settings.planner)


def _all_planners(settings: Settings) -> dict[str, PlannerSettings]:
    path = models_folder() / BUNDLED_GGUF
    bundled = LlamaPlannerSettings(kind="llama", path=path, profile="compact")
    return {COMPACT: bundled, **settings.planners}


def _load_nano_planner() -> Planner:
    from tinyagent.planners.nano import NanoPlanner

    return NanoPlanner(load_nano())


def _example_finder(count: int) -> FindExamples:
    from tinyagent.planners.examples import ExampleFinder, no_examples

    if not count:
        return no_examples
    return ExampleFinder(load_examples, lambda texts: load_nano().embed(texts), count)


def _writer(settings: Settings, files: LlamaFiles) -> list[PlannerEntry]:
    """The model for texts, which plans nothing; a planner that is called the same stands for itself."""
    if settings.writer is None or WRITER in settings.planners or not can_chat(settings.writer.model):
        return []
    return [replace(_configured(WRITER, settings.writer.model, 0, files), load=None)]


def _configured(name: str, settings: PlannerSettings, examples: int, files: LlamaFiles) -> PlannerEntry:
    chat = partial(load_chat, name, settings, files) if can_chat(settings) else None
    if isinstance(settings, OpenAIPlannerSettings):
        described = f"{settings.model} at {settings.base_url}"
        load: Callable[[], Planner] = partial(_load_openai, name, settings, examples)
        return PlannerEntry(name, described, load, lambda: "", load_chat=chat)
    path = settings.path.expanduser()
    load = partial(_load_llama, name, settings, examples, files)
    described = f"{path.name} by llama.cpp"
    return PlannerEntry(name, described, load, partial(_broken_gguf, path), _size(path), chat)


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


def _load_llama(name: str, settings: LlamaPlannerSettings, examples: int, files: LlamaFiles) -> Planner:
    from tinyagent.planners.llama import LlamaPlanner

    finder = _example_finder(examples)
    return LlamaPlanner(files.worker(settings), name=name, profile=settings.profile, examples=finder)


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
