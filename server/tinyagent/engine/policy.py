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


CONFIGURED = "The settings ask first."
WISHED = "The request asks first."
BY_PROGRAM = "A program chose this, and it reaches other people."


@dataclass(frozen=True)
class Ruling:
    """How a tool may be used in a run.

    `spec` has the effect that a call then has: a tool that only drafts writes and does not send.
    `ask` says why the user is asked first, and is empty when nobody is asked. `note` is told with the
    result: why something was only drafted although sending is on. `inviting` holds for a call that
    names recipients whom the tool would tell; None when it tells nobody.
    """

    spec: ToolSpec
    ask: str
    send: bool
    note: str = ""
    inviting: Ruling | None = None


@dataclass(frozen=True)
class Policy:
    """The settings' word on each effect, with exceptions by tool. Reading needs no approval.

    `wait_s` is how long an answer is waited for, and `sending` why sending is asked for where it is.
    """

    send: Mode = "draft"
    write: Mode = "auto"
    open: Mode = "auto"
    tools: Mapping[str, Mode] = field(default_factory=dict[str, Mode])
    wait_s: float = 300.0
    sending: str = CONFIGURED

    def for_program(self) -> Policy:
        """The policy for what a program chose and no person, who knows what the program had read before.

        What would be sent unasked is asked for, but for the tools that the settings name.
        """
        return replace(self, send="ask", sending=BY_PROGRAM) if self.send == "auto" else self

    def ruling(self, status: ToolStatus, wish: Mode | None) -> Ruling:
        """How this tool may be used, when the run asks for `wish`: a wish makes it stricter, never looser."""
        spec = status.spec
        if spec.effect == "send":
            return self._sending(status, wish)
        ask = self._asks(spec, wish) or ("" if self.tools.get(spec.name) == "auto" else status.asks)
        if not status.invites:
            return Ruling(spec, ask, send=False)
        telling = self._sending(replace(status, spec=replace(spec, effect="send")), wish)
        return Ruling(spec, ask, send=False, inviting=replace(telling, ask=telling.ask or ask))

    def _sending(self, status: ToolStatus, wish: Mode | None) -> Ruling:
        """How a tool may be used that could send."""
        spec = status.spec
        configured = self.tools.get(spec.name, self.send)
        mode = min(configured, wish or "auto", key=_STRICTEST_FIRST.index)
        if mode == "draft" or status.drafts_only:
            drafting = replace(spec, effect="write")
            note = "" if mode == "draft" else status.drafts_only
            return Ruling(drafting, self._asks(drafting, wish), send=False, note=note)
        ask = "" if mode == "auto" else self.sending if configured == "ask" else WISHED
        return Ruling(spec, ask, send=True)

    def _asks(self, spec: ToolSpec, wish: Mode | None) -> str:
        """Why a call that sends nothing is asked for, or an empty string."""
        if spec.effect == "read":
            return CONFIGURED if self.tools.get(spec.name) == "ask" else ""
        configured = self.write if spec.effect == "write" else self.open
        own = self.tools.get(spec.name, configured)
        # That a tool may only draft says nothing of whether it may do so unasked.
        if "ask" in (own, configured if own == "draft" else own):
            return CONFIGURED
        return WISHED if wish == "ask" else ""
