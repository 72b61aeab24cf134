"""Parameters of the OpenAI API that are refused, as the document tells them: what is still taken, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyagent.api import chat_request, responses_request

REASONS = {
    "access_programs": "There are no programmes.",
    "audio": "Answers are text.",
    "background": "`POST /v1/runs` starts what goes on without its client.",
    "background_options": "`POST /v1/runs` starts what goes on without its client.",
    "context_management": "Nothing of a conversation is left out or shortened.",
    "conversation": "`previous_response_id` goes on from an earlier response.",
    "frequency_penalty": "Models here are not steered by penalties.",
    "function_call": "It was replaced by `tool_choice`.",
    "functions": "They were replaced by `tools`.",
    "image": "Answers are text.",
    "include": "There is nothing else to include: a response holds all that there is.",
    "logit_bias": "Models here are not steered by single tokens.",
    "logprobs": "No probabilities are told.",
    "max_tool_calls": "There are no built-in tools to count; `parallel_tool_calls` bounds your own.",
    "modalities": "Answers are text.",
    "moderation": "Nothing is sent anywhere to be judged.",
    "prediction": "Nothing is predicted from a text.",
    "presence_penalty": "Models here are not steered by penalties.",
    "prompt": "No prompts are kept on the server.",
    "prompt_cache_options": "Prompts are remembered by rules of the server.",
    "prompt_cache_retention": "Prompts are remembered in memory, and no longer than the server runs.",
    "reasoning": "Plans are as long as they have to be.",
    "reasoning_effort": "Plans are as long as they have to be.",
    "service_tier": "There is one tier.",
    "stream_options": "Streams are not padded.",
    "top_logprobs": "No probabilities are told.",
    "verbosity": "Answers are as long as they have to be.",
    "web_search_options": "There is no web search.",
}
"""Why a parameter is not obeyed, on whichever route."""

REFUSED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "ChatRequest": chat_request.NEUTRAL,
    "ResponseRequest": responses_request.NEUTRAL,
}
"""By the schema of the body: the values beside null that ask for nothing, and so are taken."""


def refused_properties(neutral: Mapping[str, tuple[object, ...]]) -> dict[str, Any]:
    """The properties that a schema has for them; all other names are refused altogether."""
    return {
        name: {
            "enum": [None, *values],
            "title": name.replace("_", " ").title(),
            "description": f"Refused unless it asks for nothing. {REASONS[name]}",
            "x-refused": True,
        }
        for name, values in neutral.items()
    }
