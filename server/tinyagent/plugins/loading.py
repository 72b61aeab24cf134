"""Finds the user's own tools in files and installed packages. What cannot be loaded is told, never raised."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from tinyagent.plugins.declaring import declared
from tinyagent.plugins.functions import NoTool, OwnTool, own_tool, place_of

GROUP = "tinyagent.tools"
LOAD_S = 10.0
"""How long a file may take to load."""

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What could not be loaded: its name, and where and why in a sentence."""

    name: str
    reason: str


@dataclass
class Found:
    """The tools that were found, and what could not be loaded."""

    tools: list[OwnTool] = field(default_factory=list[OwnTool])
    faults: list[Fault] = field(default_factory=list[Fault])


def offered_by_packages() -> bool:
    """Whether an installed package has tools."""
    return bool(entry_points(group=GROUP))


def load_tools(
    files: Sequence[Path], taken: Collection[str] = (), packages: Sequence[EntryPoint] | None = None
) -> Found:
    """The tools of these files and of all installed packages.

    A tool whose name is `taken` is a fault, and so is a second one of the same name.
    """
    found, names = Found(), dict.fromkeys(taken, "a built-in tool")
    for file in files:
        path = file.expanduser().absolute()
        _load(found, names, path.stem, str(path), lambda path=path: _functions(_module(path)))
    for entry in entry_points(group=GROUP) if packages is None else packages:
        place = f"the entry point {entry.name} of {entry.dist.name if entry.dist else entry.value}"
        _load(found, names, entry.name, place, lambda entry=entry: _offered(entry.load()))
    return found


def _load(
    found: Found, names: dict[str, str], name: str, place: str, read: Callable[[], list[Callable[..., Any]]]
) -> None:
    try:
        functions = _within(read, LOAD_S)
    except TimeoutError:
        found.faults.append(Fault(name, f"{place} did not load within {LOAD_S:g} seconds."))
        return
    except BaseException as error:  # code of others: it may even try to end the process
        found.faults.append(Fault(name, f"{place}{_line(error, place)}: {_told(error)}"))
        return
    if not functions:
        found.faults.append(Fault(name, f"{place} has no function that is marked by @tool."))
    for function in functions:
        _take(found, names, function)


def _take(found: Found, names: dict[str, str], function: Callable[..., Any]) -> None:
    mark = declared(function)
    assert mark is not None
    place = place_of(function)
    try:
        tool = own_tool(function, mark)
    except NoTool as error:
        found.faults.append(Fault(getattr(function, "__name__", "tool"), f"{place}: {error}"))
        return
    if tool.spec.name in names:
        reason = f"{place}: {tool.spec.name} is the name of {names[tool.spec.name]} already."
        found.faults.append(Fault(tool.spec.name, reason))
        return
    names[tool.spec.name] = f"a tool in {place}"
    found.tools.append(tool)


def _module(path: Path) -> ModuleType:
    name = f"tinyagent_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look types up there
    spec.loader.exec_module(module)
    return module


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    """The marked functions of a module in their order, without those that it imports."""
    own = [value for value in vars(module).values() if declared(value) is not None]
    return [value for value in dict.fromkeys(own) if value.__module__ == module.__name__]


def _offered(value: object) -> list[Callable[..., Any]]:
    """The tools of an entry point: a marked function, or a module of them."""
    if isinstance(value, ModuleType):
        return _functions(value)
    return [value] if callable(value) and declared(value) is not None else []


def _within(work: Callable[[], T], seconds: float) -> T:
    """What the work brings, done in a thread. Raises TimeoutError, or what it raises."""
    results: list[T] = []
    failures: list[BaseException] = []

    def do() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=do, name="own tools", daemon=True)
    with contextlib.redirect_stdout(sys.stderr):  # standard output may carry a protocol or JSON
        thread.start()
        thread.join(seconds)
    if failures:
        raise failures[0]
    if not results:
        raise TimeoutError
    return results[0]


def _line(error: BaseException, path: str) -> str:
    """The line of the file where it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return f", line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f", line {frames[-1].lineno}" if frames else ""


def _told(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is missing."
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())[:200]}".rstrip(": ") + "."
