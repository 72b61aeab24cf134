"""Errors that come out of groups of tasks."""

from __future__ import annotations

from typing import cast


def first_of(group: Exception) -> Exception:
    """The error that a group of errors is about, or the error itself."""
    while isinstance(group, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", group).exceptions[0]
    return group
