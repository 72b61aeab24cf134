"""Who writes what: the model for the configured roles, and the composed text for all others."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from tinyagent.errors import log_unexpected
from tinyagent.ports import Writer, WritingRole, WritingTask, Written
from tinyagent.writers.model import NotWritten

logger = logging.getLogger(__name__)


class ModelWriter(Protocol):
    """A writer that may fail."""

    async def write(self, task: WritingTask) -> Written:
        """The text. Raises NotWritten."""
        ...

    async def close(self) -> None: ...


class RoleWriter(Writer):
    """Implements `ports.Writer`: `composed` stands in where the model has no role, or failed."""

    def __init__(self, model: ModelWriter | None, composed: Writer, roles: Collection[WritingRole]) -> None:
        self._model, self._composed, self._roles = model, composed, frozenset(roles)

    async def write(self, task: WritingTask) -> Written:
        if self._model is None or task.role not in self._roles or not task.material.strip():
            return await self._composed.write(task)
        try:
            return await self._model.write(task)
        except NotWritten as failure:
            logger.warning("the model did not write: %s, %s", task.role, failure.kind)
            reason = failure.reason
        except Exception as error:
            log_unexpected(logger, "the writer's model", error)
            reason = "it failed"
        composed = await self._composed.write(task)
        return replace(composed, remark=f"written without the model: {reason}")

    async def close(self) -> None:
        if self._model is not None:
            await self._model.close()
        await self._composed.close()
