"""Tool RAG and the planners, from settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tinyagent.bootstrap.models import BUNDLED_GGUF, COMPACT, NANO, load_examples, load_nano, models_folder
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.ports import Planner, ToolSelector
from tinyagent.settings import LlamaPlannerSettings, OpenAIPlannerSettings, PlannerSettings, Settings

if TYPE_CHECKING:
    from tinyagent.planners.examples import FindExamples

GGUF_MAGIC = b"GGUF"


@dataclass(frozen=True)
class Toolkit:
    """What understanding a request takes, without a journal and without acting."""

    selector: ToolSelector
    planners: PlannerCatalog
    tools: Sequence[ToolSpec]

    async def planner(self, name: str | None = None) -> Planner:
        """A loaded planner. Raises ModelNotFound or ModelUnavailable."""
        return await self.planners.get(self.planners.resolve(name))


def build_toolkit(settings: Settings) -> Toolkit:
    """Tool RAG and planners, as configured. Raises ModelUnavailable when Tool RAG's files are faulty."""
    from tinyagent.toolrag.selector import ClassifierSelector
    from tinyagent.tools.registry import BUILT_IN

    model = load_nano()
    return Toolkit(ClassifierSelector(model), build_planners(settings), [tool.spec for tool in BUILT_IN])


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
