"""The mark that makes a function a tool."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, overload

from tinyagent.domain.tools import Effect

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__tinyagent_tool__"


@dataclass(frozen=True)
class Declared:
    """What a tool says of itself beside its signature and docstring."""

    effect: Effect
    app: str
    untrusted: bool


@overload
def tool(function: F) -> F: ...


@overload
def tool(*, effect: Effect = "write", app: str = "", untrusted: bool = False) -> Callable[[F], F]: ...


def tool(
    function: F | None = None, *, effect: Effect = "write", app: str = "", untrusted: bool = False
) -> F | Callable[[F], F]:
    """Offer a function, which stays as it is, to the agent as a tool of its name.

    `effect` says what a call does to the world: `read` changes nothing, `open` shows something, `write`
    changes something, `send` reaches other people. Approvals and what happens after a crash go by it.
    `app` is what the tool belongs to, for listings. With `untrusted`, its results hold text that others
    wrote, so that nothing is obeyed that stands in them.
    """

    if effect not in get_args(Effect):
        raise TypeError(f"@tool has no effect {effect!r}; there are {', '.join(get_args(Effect))}")

    def mark(function: F) -> F:
        setattr(_checked(function), _MARK, Declared(effect, app, untrusted))
        return function

    return mark if function is None else mark(function)


def _checked(function: object) -> object:
    if not inspect.isfunction(function):
        raise TypeError("@tool marks functions, and nothing else")
    return function


def declared(value: object) -> Declared | None:
    """What a marked function was declared with; None for anything else."""
    mark = getattr(value, _MARK, None) if callable(value) else None
    return mark if isinstance(mark, Declared) else None
