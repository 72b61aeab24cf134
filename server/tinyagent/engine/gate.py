"""What stands between a planned call and its doing: provenance, policy and the user's approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tinyagent.domain.plan import Call
from tinyagent.domain.provenance import Source
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.approvals import ApprovalDesk, Question, digest_of
from tinyagent.engine.bounded import bounded
from tinyagent.engine.policy import Ruling
from tinyagent.engine.provenance import argument_sources, check_recipients
from tinyagent.engine.user_words import UserWords
from tinyagent.errors import TinyAgentError
from tinyagent.ports import AuditEntry, AuditLog, CallContext, ToolHost

AFTER_FOREIGN_TEXT = "It was planned after text that others wrote had been read."


@dataclass(frozen=True)
class Intent:
    """A call that could start: its arguments are complete.

    `foreign`: text that others wrote had been read before it was planned.
    """

    call: Call
    spec: ToolSpec
    arguments: tuple[Any, ...]
    results: Mapping[int, Source]
    foreign: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where each argument comes from."""
        return argument_sources(self.call, self.results)


class Gate:
    """Admits the calls of one run."""

    def __init__(
        self,
        run: str,
        host: ToolHost,
        rulings: Mapping[str, Ruling],
        desk: ApprovalDesk,
        audit: AuditLog,
        words: UserWords,
    ) -> None:
        self._run = run
        self._host = host
        self._rulings = rulings
        self._desk = desk
        self._audit = audit
        self._words = words

    def ruling(self, tool: str) -> Ruling:
        """How the tool may be used in this run."""
        return self._rulings[tool]

    async def admit(self, intent: Intent, context: CallContext) -> CallContext:
        """The context that the call may be carried out in; waits for the user's approval where one is needed.

        Raises UntrustedRecipient, Rejected, ApprovalUnavailable, Cancelled (the run ended meanwhile), or
        what the host says about a call that cannot be carried out.
        """
        ruling = self._ruling_for(intent)
        try:
            check_recipients(intent.call, intent.spec, intent.results, self._words, intent.foreign)
        except TinyAgentError as error:
            await self._note_refusal(intent, error)
            raise
        context = replace(context, send=ruling.send)
        # What others describe as reading may carry what was read to somebody else.
        foreign = intent.foreign and (intent.spec.effect != "read" or intent.spec.described)
        if not (ruling.ask or foreign):
            return context
        details = await self._details(intent, context)
        reason = AFTER_FOREIGN_TEXT if foreign else ruling.ask
        await self._desk.ask(
            Question(intent.call.index, ruling.spec, intent.arguments, details, intent.sources, reason)
        )
        return replace(context, details=details)

    def _ruling_for(self, intent: Intent) -> Ruling:
        """The tool's ruling, or that for telling people where this call would tell somebody."""
        ruling = self._rulings[intent.spec.name]
        named = any(
            parameter.recipient and value
            for parameter, value in zip(intent.spec.parameters, intent.arguments, strict=True)
        )
        return ruling.inviting if ruling.inviting and named else ruling

    async def _details(self, intent: Intent, context: CallContext) -> dict[str, str]:
        """What the question shows beyond the arguments; nothing where nobody is there to see it."""
        if not self._desk.answerable:
            return {}
        name = intent.spec.name
        return await bounded(self._host.details(name, intent.arguments, context), name, context.seconds)

    async def _note_refusal(self, intent: Intent, error: TinyAgentError) -> None:
        await self._audit.append(
            AuditEntry(
                run=self._run,
                task=intent.call.index,
                tool=intent.spec.name,
                effect=intent.spec.effect,
                action="refused",
                arguments=digest_of(intent.spec.name, intent.arguments, {}),
                code=error.code,
            )
        )
