"""Who decides whether a call is carried out: nobody, the user, or the settings beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import ToolStatus

Mode = Literal["draft", "ask", "auto"]
"""`draft`: what could be sent is only drafted; `ask`: the user is asked; `auto`: it is done."""

_STRICTEST_FIRST: tuple[Mode, ...] = ("draft", "ask", "auto")


@dataclass(frozen=True)
class Ruling:
    """How a tool may be used in a run.

    `spec` has the effect that a call then has: a tool that only drafts writes and does not send.
    `note` is told with the result: why something was only drafted although sending is on.
    """

    spec: ToolSpec
    ask: bool
    send: bool
    note: str = ""


@dataclass(frozen=True)
class Policy:
    """The settings' word on each effect, with exceptions by tool. Reading needs no approval.

    `wait_s` is how long an answer is waited for.
    """

    send: Mode = "draft"
    write: Mode = "auto"
    open: Mode = "auto"
    tools: Mapping[str, Mode] = field(default_factory=dict[str, Mode])
    wait_s: float = 300.0

    def ruling(self, status: ToolStatus, wish: Mode | None) -> Ruling:
        """How this tool may be used, when the run asks for `wish`: a wish makes it stricter, never looser."""
        spec = status.spec
        if spec.effect != "send":
            return Ruling(spec, self._asks(spec, wish), send=False)
        mode = min(self.tools.get(spec.name, self.send), wish or "auto", key=_STRICTEST_FIRST.index)
        if mode != "draft" and not status.drafts_only:
            return Ruling(spec, mode == "ask", send=True)
        drafting = replace(spec, effect="write")
        note = status.drafts_only if mode != "draft" else ""
        return Ruling(drafting, self._asks(drafting, wish), send=False, note=note)

    def _asks(self, spec: ToolSpec, wish: Mode | None) -> bool:
        if spec.effect == "read":
            return self.tools.get(spec.name) == "ask"
        configured = self.write if spec.effect == "write" else self.open
        own = self.tools.get(spec.name, configured)
        # That a tool may only draft says nothing of whether it may do so unasked.
        return "ask" in (configured if own == "draft" else own, wish)
