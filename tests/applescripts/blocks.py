"""The handlers that several scripts share: kept once, and copied into each script that names them.

AppleScript has no import that works for a file run by `osascript` from any folder, so a script holds
its own copy between two marker lines. `python -m tests.applescripts.blocks` renews the copies.
"""

from __future__ import annotations

import re
from pathlib import Path

from tinyagent.apps.macos._header import applescripts_folder

_BLOCK = re.compile(r"^-- begin (_\w+\.applescript)\n(.*?)^-- end \1\n", re.MULTILINE | re.DOTALL)


def scripts(folder: Path) -> list[Path]:
    """The scripts that are run, without the files that are copied into them."""
    return sorted(path for path in folder.glob("*.applescript") if not path.name.startswith("_"))


def copies(source: str) -> dict[str, str]:
    """The copied parts of a script by the name of the file that each was copied from."""
    return {match[1]: match[2] for match in _BLOCK.finditer(source)}


def renewed(source: str, folder: Path) -> str:
    """The script with every copy made anew."""

    def block(match: re.Match[str]) -> str:
        original = (folder / match[1]).read_text(encoding="utf-8")
        return f"-- begin {match[1]}\n{original}-- end {match[1]}\n"

    return _BLOCK.sub(block, source)


def main() -> None:
    folder = applescripts_folder()
    for path in scripts(folder):
        source = path.read_text(encoding="utf-8")
        path.write_text(renewed(source, folder), encoding="utf-8")


if __name__ == "__main__":
    main()
