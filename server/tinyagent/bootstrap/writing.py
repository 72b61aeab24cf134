"""Who writes prose, from settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyagent.bootstrap.chatting import LlamaFiles, load_llama_chat
from tinyagent.bootstrap.models import load_nano
from tinyagent.ports import Writer
from tinyagent.settings import OpenAIPlannerSettings, PlannerSettings, Settings

if TYPE_CHECKING:
    from tinyagent.writers.model import ChatModel

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
    model = _chat_model(settings.writer.model, settings.writer.timeout_s, files or LlamaFiles())
    total = settings.call_deadline_s * WRITING_SHARE
    writer = ChatWriter(model, shorten, timeout_s=settings.writer.timeout_s, total_s=total)
    return RoleWriter(writer, composed, settings.writer.roles)


def _chat_model(settings: PlannerSettings, timeout_s: float, files: LlamaFiles) -> ChatModel:
    if isinstance(settings, OpenAIPlannerSettings):
        from tinyagent.writers.http_chat import HttpChat

        key = settings.api_key.get_secret_value() if settings.api_key else None
        return HttpChat(settings.base_url, settings.model, api_key=key, timeout_s=timeout_s)
    return load_llama_chat(settings.path.stem, settings, files)
