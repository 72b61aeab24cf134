"""What every tool gets besides its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tinyagent.apps.base import Desktop
from tinyagent.ports import CallContext, Writer


@dataclass(frozen=True)
class ToolContext:
    """The surroundings of one call, on one desktop.

    `region` is the two-letter country code by which phone numbers without a country code are read;
    `demo` says that the desktop is made up, so nothing outside its data folder may be opened or shown.
    """

    desktop: Desktop
    call: CallContext
    writer: Writer
    region: str = "US"
    demo: bool = False

    @property
    def now(self) -> datetime:
        """The run's wall-clock time, without zone."""
        return self.call.now
