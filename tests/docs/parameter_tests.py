"""Which tests show what becomes of each parameter and route, for `docs/parameters.md`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.clients import PROGRAMS
from tinyagent.api import chat_request, responses_request

ROOT = Path(__file__).parents[2]

Names = tuple[str, ...]

_CHAT_REFUSED = tuple(chat_request.NEUTRAL)
_RESPONSES_REFUSED = tuple(responses_request.NEUTRAL)
_SAMPLING = ("temperature", "top_p", "seed")

PARAMETERS: dict[str, dict[str, Names]] = {
    "POST /v1/chat/completions": {
        "api/test_chat_completions.py::test_what_is_not_supported_is_refused_by_name_and_starts_nothing": (
            "model", "messages", "tool_choice", "parallel_tool_calls", "response_format", "stream",
            "stream_options", "max_tokens", "max_completion_tokens", "stop", "n", *_SAMPLING, "store", "user",
            "prompt_cache_key", "metadata",
        ),
        "api/test_chat_completions.py::test_parameters_that_are_obeyed_or_ask_for_nothing_are_taken": (
            "n", "user", "safety_identifier", "prompt_cache_key", "metadata", "store",
        ),
        "api/test_chat_completions.py::test_stop_and_max_tokens_cut_the_answer": (
            "stop", "max_tokens", "max_completion_tokens",
        ),
        "api/test_chat_completions.py::test_a_model_can_name_its_planner": ("model",),
        "api/test_chat_completions.py::test_the_same_idempotency_key_gets_the_same_answer_once_done": (
            "idempotency-key",
        ),
        "api/test_chat_streaming.py::test_usage_is_the_last_chunk_and_null_before_when_it_was_asked_for": (
            "stream_options",
        ),
        "api/test_chat_streaming.py::test_the_openai_package_reads_the_stream": ("stream", "stream_options"),
        "api/test_chat_calling.py::test_what_can_be_known_before_is_a_plain_refusal_by_name": (
            "tools", "tool_choice", "messages", "store",
        ),
        "api/test_chat_calling.py::test_the_request_reaches_the_engine_as_it_was_asked": (
            "tool_choice", "parallel_tool_calls",
        ),
        "api/test_chat_calling.py::"
        "test_the_final_message_is_the_models_with_the_wording_that_was_asked_for": (
            "response_format", "max_completion_tokens", "stop", *_SAMPLING,
        ),
        "api/test_chat_clients.py::test_tools_made_of_pydantic_models_come_back_as_these": ("tools",),
        "api/test_chat_clients.py::test_an_answer_is_parsed_into_a_pydantic_model": ("response_format",),
        "api/test_chat_messages.py::"
        "test_a_conversation_that_does_not_fit_together_is_refused_with_its_place": ("messages",),
        "api/test_disconnects_and_retries.py::test_a_retry_count_that_is_no_number_is_refused": (
            "x-stainless-retry-count",
        ),
        "api/test_openapi.py::test_a_parameter_that_is_refused_is_named_and_taken_when_it_asks_for_nothing": (
            _CHAT_REFUSED
        ),
        "clients/test_agent_answers.py::test_a_stream_shows_the_plan_the_tasks_and_the_answer": ("stream",),
        "clients/test_agent_answers.py::test_usage_ends_a_stream_that_asks_for_it": ("stream_options",),
        "clients/test_agent_answers.py::test_an_earlier_answer_is_sent_back_as_it_came": ("messages",),
        "clients/test_functions_by_clients.py::"
        "test_calls_come_together_and_their_results_fill_the_next_wave": ("tools",),
        "clients/test_functions_by_clients.py::test_calls_come_one_by_one_where_that_is_wanted": (
            "parallel_tool_calls",
        ),
        "clients/test_functions_by_clients.py::test_a_choice_of_tools_is_obeyed": ("tool_choice",),
        "clients/test_client_errors.py::test_an_unknown_model_is_a_not_found_error": ("model",),
        "clients/test_client_errors.py::"
        "test_a_parameter_that_is_not_obeyed_is_a_bad_request_that_names_it": (
            "n", "temperature", "logprobs",
        ),
    },
    "POST /v1/responses": {
        "api/test_responses_requests.py::test_what_cannot_be_obeyed_is_refused_by_name": (
            "model", "instructions", "tool_choice", "text", "max_output_tokens", "temperature", "top_p",
            "truncation", "store", "stream", "metadata",
        ),
        "api/test_responses_requests.py::test_what_asks_for_nothing_is_taken": (
            "user", "prompt_cache_key", "safety_identifier", "truncation", *_RESPONSES_REFUSED,
        ),
        "api/test_responses_requests.py::test_input_that_is_no_conversation_is_refused": ("input",),
        "api/test_responses_agent.py::test_earlier_messages_and_instructions_reach_the_planner": (
            "instructions",
        ),
        "api/test_responses_agent.py::test_a_response_goes_on_from_an_earlier_one": ("previous_response_id",),
        "api/test_responses_agent.py::test_an_answer_that_is_cut_is_incomplete": ("max_output_tokens",),
        "api/test_responses_calling.py::test_only_tools_that_are_chosen_are_called": ("tools", "tool_choice"),
        "api/test_responses_calling.py::test_one_call_at_a_time_when_they_may_not_be_parallel": (
            "parallel_tool_calls",
        ),
        "api/test_responses_calling.py::test_a_message_in_the_form_of_a_schema_after_calls": (
            "text", "temperature", "top_p",
        ),
        "api/test_responses_clients.py::test_raw_events_are_of_their_types": ("model", "input", "stream"),
        "api/test_responses_clients.py::test_tools_made_of_pydantic_models_come_back_as_these": ("tools",),
        "api/test_responses_retries.py::test_a_key_stands_for_one_request": ("idempotency-key",),
        "api/test_responses_retries.py::test_a_retry_finds_the_response_and_another_request_does_not": (
            "x-stainless-retry-count",
        ),
        "api/test_responses_stored.py::test_a_response_is_read_as_it_was_answered": ("metadata",),
        "api/test_responses_stored.py::test_a_response_that_was_not_to_be_stored_is_not_kept": ("store",),
        "api/test_openapi.py::test_a_parameter_that_is_refused_is_named_and_taken_when_it_asks_for_nothing": (
            _RESPONSES_REFUSED
        ),
        "clients/test_responses_by_clients.py::test_a_response_goes_on_from_an_earlier_one": (
            "model", "input", "previous_response_id",
        ),
        "clients/test_responses_by_clients.py::test_calls_come_in_waves": ("tools",),
        "clients/test_responses_by_clients.py::test_a_wrong_parameter_is_named": ("temperature",),
    },
    "GET /v1/responses/{response}/input_items": {
        "api/test_responses_stored.py::test_input_items_come_in_pages_the_last_one_first": (
            "limit", "order", "after",
        ),
        "api/test_responses_stored.py::test_a_wrong_page_is_refused": ("limit", "order", "after"),
    },
    "POST /v1/embeddings": {
        "api/test_embeddings.py::test_another_model_is_not_found_and_the_right_one_named": ("model",),
        "api/test_embeddings.py::test_an_input_that_cannot_be_embedded_is_refused": ("input",),
        "api/test_embeddings.py::test_base64_holds_little_endian_floats": ("encoding_format",),
        "api/test_embeddings.py::test_only_the_encoders_own_size_is_taken": ("dimensions",),
        "api/test_embeddings.py::test_a_text_becomes_one_vector_with_its_usage": ("user",),
        "api/test_embeddings.py::test_the_openai_package_gets_the_same_numbers_in_each_form": (
            "encoding_format",
        ),
        "clients/test_embedding_clients.py::test_base64_holds_four_bytes_for_each_number": (
            "model", "input", "encoding_format",
        ),
    },
}  # fmt: skip
"""By route: the tests, below `tests/`, with the parameters that each shows."""

_EVERY_ROUTE = "api/test_openapi.py::test_every_example_is_accepted_and_answered_as_declared"

ROUTES: dict[str, Names] = {
    "POST /v1/chat/completions": (
        _EVERY_ROUTE,
        "clients/test_agent_answers.py::test_a_question_is_answered",
        "clients/test_agent_answers.py::test_what_a_client_puts_together_from_a_stream_is_the_answer",
        "clients/test_functions_by_clients.py::test_calls_come_together_and_their_results_fill_the_next_wave",
    ),
    "POST /v1/responses": (_EVERY_ROUTE, "clients/test_responses_by_clients.py::test_a_question_is_answered"),
    "GET /v1/responses/{response}": (
        "api/test_responses_stored.py::test_a_response_is_read_as_it_was_answered",
        "api/test_responses_clients.py::test_the_agent_answers_in_one_piece_and_is_read_again_and_deleted",
    ),
    "DELETE /v1/responses/{response}": (
        "api/test_responses_stored.py::test_a_response_that_was_deleted_is_gone",
        "api/test_responses_clients.py::test_the_agent_answers_in_one_piece_and_is_read_again_and_deleted",
    ),
    "POST /v1/responses/{response}/cancel": (
        "api/test_responses_stored.py::test_a_run_under_way_is_in_progress_and_can_be_cancelled",
    ),
    "GET /v1/responses/{response}/input_items": (
        "api/test_responses_stored.py::test_input_items_come_in_pages_the_last_one_first",
    ),
    "POST /v1/embeddings": (
        _EVERY_ROUTE,
        "clients/test_embedding_clients.py::test_like_texts_have_like_vectors",
    ),
    "GET /v1/models": (
        "api/test_models.py::test_each_model_says_what_it_can_do",
        "clients/test_agent_answers.py::test_the_models_are_listed_and_each_can_be_looked_up",
    ),
    "GET /v1/models/{model}": (
        "api/test_models.py::test_every_listed_model_is_read_by_its_name_alone",
        "clients/test_agent_answers.py::test_the_models_are_listed_and_each_can_be_looked_up",
    ),
    "POST /v1/runs": (
        _EVERY_ROUTE,
        "api/test_run_routes.py::test_a_started_run_is_accepted_with_its_place",
    ),
    "GET /v1/runs": ("api/test_run_routes.py::test_pages_of_runs_join_without_gap_or_repeat",),
    "GET /v1/runs/{run}": ("api/test_run_routes.py::test_the_whole_run_is_read_back",),
    "DELETE /v1/runs/{run}": ("api/test_run_routes.py::test_a_deleted_run_is_forgotten",),
    "GET /v1/runs/{run}/events": (
        "api/test_run_events.py::test_a_reader_resumes_at_every_position_without_gap_or_repeat",
    ),
    "POST /v1/runs/{run}/cancel": (
        _EVERY_ROUTE,
        "api/test_run_routes.py::test_a_run_under_way_is_cancelled_then_deleted",
    ),
    "POST /v1/runs/{run}/approve": (
        _EVERY_ROUTE,
        "api/test_approval_routes.py::test_one_screen_approves_all",
    ),
    "POST /v1/runs/{run}/reject": (
        _EVERY_ROUTE,
        "api/test_approval_routes.py::test_one_screen_rejects_all",
    ),
    "POST /v1/runs/{run}/tasks/{task}/approve": (
        _EVERY_ROUTE,
        "api/test_approval_routes.py::test_each_call_is_decided_by_itself_and_the_token_is_noted",
    ),
    "POST /v1/runs/{run}/tasks/{task}/reject": (
        _EVERY_ROUTE,
        "api/test_approval_routes.py::test_each_call_is_decided_by_itself_and_the_token_is_noted",
    ),
    "POST /v1/runs/{run}/undo": ("api/test_approval_routes.py::test_a_whole_run_is_taken_back",),
    "POST /v1/runs/{run}/tasks/{task}/undo": (
        "api/test_approval_routes.py::test_one_call_is_taken_back_once",
    ),
    "GET /v1/tools": ("api/test_service_routes.py::test_tools_come_with_schema_and_effect",),
    "GET /healthz": ("api/test_service_routes.py::test_health_needs_no_token_and_says_nothing_else",),
    "GET /readyz": ("api/test_service_routes.py::test_readiness_lists_every_part",),
    "GET /metrics": ("api/test_openapi.py::test_every_answer_without_a_body_is_as_declared",),
    "POST /v1/worker/claim": (
        _EVERY_ROUTE,
        "api/test_worker_routes.py::test_a_job_goes_out_goes_on_and_comes_back",
    ),
    "POST /v1/worker/tasks/{task}/heartbeat": (
        _EVERY_ROUTE,
        "api/test_worker_routes.py::test_a_job_that_was_cancelled_is_told_with_the_heartbeat",
    ),
    "POST /v1/worker/tasks/{task}/result": (
        _EVERY_ROUTE,
        "api/test_worker_routes.py::test_a_failure_comes_back_with_all_it_says",
    ),
}


@dataclass(frozen=True)
class Shown:
    """A test: its source with its decorators and the constants that it uses, and the clients in it."""

    source: str
    clients: Names


@cache
def named(test: str) -> Shown | None:
    """The test of this id below `tests/`, if there is one."""
    file, _, function = test.partition("::")
    path = ROOT / "tests" / file
    module = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function:
            source = _with_constants(node, module)
            return Shown(source, _clients(file, source))
    return None


def _with_constants(node: ast.AST, module: ast.Module) -> str:
    """The source, and that of the module's constants that it uses, and of those that these use."""
    used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    constants = [
        _with_constants(other.value, module)
        for other in module.body
        if isinstance(other, ast.Assign) and isinstance(other.targets[0], ast.Name)
        if other.targets[0].id in used
    ]
    return "\n".join([ast.unparse(node), *constants])


def _clients(file: str, source: str) -> Names:
    if file.startswith("clients/"):
        return tuple(client for client in PROGRAMS if f"'{client}'" in source)
    return ("openai-python",) if "openai." in source or file.endswith("_clients.py") else ()
