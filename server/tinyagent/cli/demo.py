"""`tinyagent demo`: something to try requests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import print_json

REQUESTS = (
    "Text Jane that dinner is at seven",
    "Set up a meeting with Priya and Kwabena tomorrow at 3 about the annual report",
    "Summarize the Lease Agreement PDF and email the summary to Ingrid",
)


def demo(ctx: typer.Context, json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Fill the home folder with made-up contacts, mails, notes and documents to try requests on."""
    from tinyagent.demo import make_demo
    from tinyagent.home import prepare_home

    options: GlobalOptions = ctx.obj
    settings = options.settings()
    prepare_home(settings)
    report = make_demo(settings.data, settings.documents)
    if json:
        print_json(
            {"added": list(map(str, report.added)), "kept": list(map(str, report.kept)), "requests": REQUESTS}
        )
        return
    if report.added:
        print(f"Made in {settings.home}: {_counted(report.added, settings.home)}.")
    if report.kept:
        print(f"{len(report.kept)} files were there before and are as they were.")
    print("\nTry, once `tinyagent serve` is running:")
    for request in REQUESTS:
        print(f'  tinyagent ask "{request}"')


def _counted(files: Sequence[Path], home: Path) -> str:
    """How many files of each kind: `3 contacts, 2 notes`."""
    kinds = Counter(_kind(file.relative_to(home).parts) for file in files)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if kind)


def _kind(parts: Sequence[str]) -> str:
    """The folder that says what a file is; files right in the data folder are bookkeeping."""
    if parts[0] != "data":
        return parts[0]
    if len(parts) < 3 or parts[-1] == "selected":
        return ""
    return "mails" if parts[1] == "mail" else parts[1]
