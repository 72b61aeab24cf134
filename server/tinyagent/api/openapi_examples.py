"""Bodies of requests for the document, each accepted as it stands.

`mine` stands for a model that can chat. Digests and the numbers of tasks are those of the calls that wait,
and differ from run to run.
"""

from __future__ import annotations

from typing import Any

Examples = dict[str, Any]


def _function(name: str, /, **types: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": types, "required": list(types)}
    return {"name": name, "parameters": schema}


_TEXT = {"type": "string"}
_FUNCTIONS = [
    _function("get_phone_number", name=_TEXT),
    _function("send_sms", recipients={"type": "array", "items": _TEXT}, message=_TEXT),
]
_TOOLS = [{"type": "function", "function": function} for function in _FUNCTIONS]
_ASKED = {"role": "user", "content": "Text Sid that I am late"}
_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_phone_number", "arguments": '{"name": "Sid"}'},
}
_HELLO = {"role": "user", "content": "Say hello in Norwegian."}
_DIGEST = "5c1e0f9a7b3d2846" * 4
_WORKER = {"worker": "Studio", "instance": "0123456789abcdef" * 2}

CHAT: Examples = {
    "agent": {
        "model": "tinyagent",
        "messages": [{"role": "user", "content": "Remind me to call Sid at 5 pm"}],
    },
    "agent, streamed": {
        "model": "tinyagent",
        "messages": [{"role": "user", "content": "Text Sid that I am late"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "function calling": {"model": "tinyagent", "messages": [_ASKED], "tools": _TOOLS},
    "function calling, with the result": {
        "model": "tinyagent",
        "messages": [
            _ASKED,
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "+14155550101"},
        ],
        "tools": _TOOLS,
    },
    "plain": {
        "model": "mine",
        "messages": [{"role": "system", "content": "Be brief."}, _HELLO],
        "temperature": 0.5,
        "max_completion_tokens": 50,
    },
}

RESPONSES: Examples = {
    "agent": {"model": "tinyagent", "input": "Remind me to call Sid at 5 pm"},
    "agent, streamed": {"model": "tinyagent", "input": "Text Sid that I am late", "stream": True},
    "function calling": {
        "model": "tinyagent",
        "input": [_ASKED],
        "tools": [{"type": "function", **function} for function in _FUNCTIONS],
    },
    "plain": {"model": "mine", "instructions": "Be brief.", "input": "Say hello in Norwegian."},
}

EMBEDDINGS: Examples = {
    "texts": {
        "model": "nano-encoder",
        "input": ["The ferry is late.", "A recipe for plum cake."],
        "encoding_format": "float",
    }
}

RUNS: Examples = {
    "run": {"query": "Lunch with Ann tomorrow at noon", "now": "2026-11-22 09:00"},
    "plan": {"query": "Text Sid that I am late", "mode": "plan"},
}
CANCEL: Examples = {"reason": {"reason": "changed my mind"}}
APPROVE: Examples = {"one of them": {"tasks": {"2": _DIGEST}}}
REJECT: Examples = {"one of them": {"tasks": {"2": _DIGEST}, "reason": "not today"}}
APPROVE_TASK: Examples = {"digest": {"digest": _DIGEST}}
REJECT_TASK: Examples = {"digest": {"digest": _DIGEST, "reason": "not today"}}

CLAIM: Examples = {"waiting": {**_WORKER, "tools": {"create_note": {"enabled": True}}, "wait_s": 20}}
HEARTBEAT: Examples = {"sign of life": _WORKER}
RESULT: Examples = {
    "done": {**_WORKER, "ok": {"value": "Groceries", "message": "Added to Groceries."}},
    "failed": {**_WORKER, "error": {"code": "no_match", "message": "There is no note of that name."}},
}
