"""Whether a model's files are those that were shipped. Quick to import: listings look here too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tinyagent.errors import ModelUnavailable

MANIFEST = "manifest.json"


def read_json(path: Path) -> dict[str, Any]:
    """A model's settings. Raises ModelUnavailable."""
    try:
        read: object = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise unavailable(path) from error
    if not isinstance(read, dict):
        raise unavailable(path)
    return cast("dict[str, Any]", read)


def read_thresholds(settings: Mapping[str, Any], path: Path) -> dict[str, float]:
    """The `thresholds` in a model's settings, none if they were never fitted. Raises ModelUnavailable."""
    found: object = settings.get("thresholds", {})
    if not isinstance(found, dict):
        raise _wrong_thresholds(path)
    thresholds = cast("dict[str, object]", found)
    for value in thresholds.values():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise _wrong_thresholds(path)
    return {name: float(cast("float", value)) for name, value in thresholds.items()}


def _wrong_thresholds(path: Path) -> ModelUnavailable:
    return ModelUnavailable(
        f"The thresholds in {path} are no probabilities by tool name.",
        hint="Fit them again with `tinyagent train thresholds`, or take them out.",
    )


def check_files(folder: Path) -> None:
    """Compare the files with the sizes in the manifest, which finds a copy that broke off.

    Raises ModelUnavailable naming the first file that is missing or of another size.
    """
    for path, size, _ in _shipped(folder):
        if not path.is_file() or path.stat().st_size != size:
            raise unavailable(path)


def problem_in(folder: Path) -> str:
    """What `check_files` finds wrong, as text; empty when the files have their sizes."""
    try:
        check_files(folder)
    except ModelUnavailable as error:
        return str(error)
    return ""


def check_contents(folder: Path) -> None:
    """Compare every byte of the files with the manifest; a network of other numbers would plan nonsense.

    Raises ModelUnavailable naming the first file that differs or cannot be read.
    """
    check_files(folder)
    for path, _, digest in _shipped(folder):
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unavailable(path) from error
        if found != digest:
            raise unavailable(path)


def _shipped(folder: Path) -> list[tuple[Path, int, str]]:
    """The files with their sizes in bytes and digests. Raises ModelUnavailable."""
    manifest = read_json(folder / MANIFEST)
    try:
        return [
            (folder / str(name), int(facts["bytes"]), str(facts["sha256"]))
            for name, facts in manifest["files"].items()
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unavailable(folder / MANIFEST) from error


def unavailable(path: Path) -> ModelUnavailable:
    """The error for a model's file that is missing, damaged or not for this user to read."""
    if not path.exists():
        return ModelUnavailable(
            f"The model file {path} is missing.", hint="Reinstall tinyagent to restore it."
        )
    return ModelUnavailable(
        f"The model file {path} is damaged or cannot be read.",
        hint="Reinstall tinyagent to restore it, as the user who runs it.",
    )
