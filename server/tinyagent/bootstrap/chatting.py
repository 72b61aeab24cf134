"""Chat models, and the GGUF files that they share with the planners, from settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tinyagent.errors import ModelUnavailable
from tinyagent.ports import ChatModel
from tinyagent.settings import LlamaPlannerSettings, OpenAIPlannerSettings, PlannerSettings

if TYPE_CHECKING:
    from tinyagent.planners.llama_chat import LlamaChat
    from tinyagent.planners.llama_worker import LlamaWorker


class LlamaFiles:
    """The GGUF files in use, each in memory once however many parts of the server use it."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, int, int | None], LlamaWorker] = {}

    def worker(self, settings: LlamaPlannerSettings) -> LlamaWorker:
        """The one worker of this file with these settings; the file is loaded by its first use."""
        from tinyagent.planners.llama_worker import LlamaWorker

        path = settings.path.expanduser()
        key = (os.path.realpath(path), settings.context, settings.threads)
        if key not in self._workers:
            self._workers[key] = LlamaWorker(path, context=settings.context, threads=settings.threads)
        return self._workers[key]


def can_chat(settings: PlannerSettings) -> bool:
    """Whether the model continues chats, as its settings or its file say; a file that cannot be read may."""
    if isinstance(settings, OpenAIPlannerSettings):
        return True
    if settings.profile is not None:
        return settings.profile == "chat"
    from tinyagent.planners.gguf_header import read_header
    from tinyagent.planners.profiles import choose_profile

    try:
        return choose_profile(read_header(settings.path.expanduser())).name == "chat"
    except ModelUnavailable:
        return True


def load_chat(name: str, settings: PlannerSettings, files: LlamaFiles) -> ChatModel:
    """The chat model of a file or an address."""
    if isinstance(settings, LlamaPlannerSettings):
        return load_llama_chat(name, settings, files)
    from tinyagent.planners.openai_chat import OpenAIChat

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return OpenAIChat(settings.base_url, settings.model, name=name, api_key=key, timeout=settings.timeout_s)


def load_llama_chat(name: str, settings: LlamaPlannerSettings, files: LlamaFiles) -> LlamaChat:
    """The chat model of a file."""
    from tinyagent.planners.llama_chat import LlamaChat

    return LlamaChat(files.worker(settings), name=name, profile=settings.profile)
