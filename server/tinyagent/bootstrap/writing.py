"""Who writes prose, from settings."""

from __future__ import annotations

from tinyagent.bootstrap.chatting import LlamaFiles, load_chat, load_llama_chat
from tinyagent.bootstrap.models import load_nano
from tinyagent.ports import ChatModel, Writer
from tinyagent.settings import OpenAIPlannerSettings, PlannerSettings, Settings

WRITING_SHARE = 0.7
"""The part of a call's time that a model may write for; the rest is for composing without it."""


def build_writer(settings: Settings, files: LlamaFiles | None = None) -> Writer:
    """Who writes prose: the configured model for its roles, composed texts for all else.

    `files` are the GGUF files that others use too.
    """
    from tinyagent.writers.chat import ChatWriter
    from tinyagent.writers.choosing import RoleWriter
    from tinyagent.writers.composed import ComposedWriter
    from tinyagent.writers.extractive import ExtractiveSummarizer, shorten

    composed = ComposedWriter(ExtractiveSummarizer(lambda texts: load_nano().embed(texts)))
    if settings.writer is None:
        return RoleWriter(None, composed, ())
    model, room = _chat_model(settings.writer.model, settings.writer.timeout_s, files or LlamaFiles())
    writer = ChatWriter(
        model,
        shorten,
        room=room,
        timeout_s=settings.writer.timeout_s,
        total_s=settings.call_deadline_s * WRITING_SHARE,
    )
    return RoleWriter(writer, composed, settings.writer.roles)


def _chat_model(settings: PlannerSettings, timeout_s: float, files: LlamaFiles) -> tuple[ChatModel, int]:
    """The model, and how many characters of material it reads at once."""
    from tinyagent.writers.chat import ROOM

    if isinstance(settings, OpenAIPlannerSettings):
        own_time = settings.model_copy(update={"timeout_s": timeout_s})
        return load_chat(settings.model, own_time, files), ROOM
    chat = load_llama_chat(settings.path.stem, settings, files)
    return chat, chat.room
