"""Files within the folders that the user has opened to the assistant, and nothing outside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tinyagent.apps.local.folders import OpenFolders, refuse_program
from tinyagent.apps.local.opening import start


class PortableFiles(OpenFolders):
    """Implements `apps.base.Files`. `opener` is the argv that shows a file; empty, nothing is ever shown."""

    def __init__(self, folders: Sequence[Path], opener: Sequence[str] = ()) -> None:
        super().__init__(folders)
        self._opener = tuple(opener)

    async def show(self, path: Path) -> None:
        if self._opener:
            await asyncio.to_thread(self._show, path)

    def _show(self, path: Path) -> None:
        refuse_program(path)
        start([*self._opener, str(path.resolve())])
