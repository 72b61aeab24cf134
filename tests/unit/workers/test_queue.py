"""The queue: every call is done by one worker or by none, and the one who waits hears which."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.scripted import until
from tests.unit.workers.conftest import (
    CONTEXT,
    EVERYTHING,
    IMAC,
    MAC,
    SENDING,
    SPECS,
    calling,
    claim_of,
    done,
    failed,
    nothing,
    take,
)
from tinyagent.errors import (
    Ambiguous,
    AppFailed,
    ArgumentError,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    UnknownTool,
    WorkerUnavailable,
)
from tinyagent.ports import ToolResult
from tinyagent.workers import queue as module
from tinyagent.workers.queue import WorkerQueue
from tinyagent.workers.wire import MAX_JOB_BYTES, Offer, new_worker

SHORT_S = 0.05


# --- a call and its result -------------------------------------------------------------------


async def test_a_call_reaches_the_worker_as_it_was_made_and_its_result_comes_back(queue: WorkerQueue) -> None:
    arguments = ("“Ünïcode”\n$1", 7, True, ["a", "b"])
    call = asyncio.create_task(queue.call("keep", arguments, CONTEXT))
    job = await take(queue)
    assert (job.kind, job.tool, job.arguments) == ("call", "keep", list(arguments))
    assert [type(argument) for argument in job.arguments] == [str, int, bool, list]
    given = job.context.context()
    assert (given.now, given.key, given.query, given.instructions) == (
        CONTEXT.now,
        "k1",
        "keep it",
        "Be brief.",
    )
    assert not given.send and 0 < given.seconds <= CONTEXT.seconds
    queue.finish(job.id, done("Groceries", link="note:1", untrusted=True))
    assert await call == ToolResult("Groceries", "It is done.", "note:1", True)


async def test_a_tools_error_comes_out_as_the_same_error(queue: WorkerQueue) -> None:
    call = calling(queue)
    job = await take(queue)
    queue.finish(job.id, failed("ambiguous", hint="Which one?", candidates=["Sid A", "Sid B"]))
    with pytest.raises(Ambiguous) as caught:
        await call
    assert (caught.value.hint, caught.value.candidates) == ("Which one?", ("Sid A", "Sid B"))


async def test_calls_are_given_out_in_their_order_and_once_each(queue: WorkerQueue) -> None:
    calls = [calling(queue, "mail", str(number)) for number in range(6)]
    await asyncio.sleep(0)
    jobs = [await take(queue, who) for who in (MAC, IMAC) * 3]
    assert [job.arguments for job in jobs] == [[str(number)] for number in range(6)]
    assert await nothing(queue) and await nothing(queue, IMAC)
    for job, who in zip(jobs, (MAC, IMAC) * 3, strict=True):
        queue.finish(job.id, done(str(job.arguments[0]), who))
    results = await asyncio.gather(*calls)
    assert [result.value for result in results if isinstance(result, ToolResult)] == list("012345")


async def test_of_many_waiting_workers_one_gets_the_job(queue: WorkerQueue) -> None:
    workers = [new_worker(f"w{number}") for number in range(5)]
    claims = [asyncio.create_task(queue.claim(claim_of(who, wait_s=1), lambda: True)) for who in workers]
    call = calling(queue)
    jobs = await asyncio.gather(*claims)
    given = [(job, who) for job, who in zip(jobs, workers, strict=True) if job is not None]
    assert len(given) == 1
    queue.finish(given[0][0].id, done(who=given[0][1]))
    await call


# --- nobody takes it -------------------------------------------------------------------------


async def test_without_a_worker_nothing_is_done_and_the_call_says_so() -> None:
    queue = WorkerQueue(SPECS, wait_s=SHORT_S, lease_s=20)
    with pytest.raises(WorkerUnavailable, match="no worker is connected") as caught:
        await queue.call("mail", ["x"], SENDING)
    assert "tinyagent worker" in str(caught.value.hint)
    assert await nothing(queue)


async def test_a_waiting_call_says_what_it_waits_for(
    queue: WorkerQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECHECK_S", SHORT_S)
    told: asyncio.Queue[str] = asyncio.Queue()
    call = asyncio.create_task(queue.call("mail", ["x"], replace(SENDING, tell=told.put)))
    assert "worker" in await told.get()
    queue.finish((await take(queue)).id, done())
    await call


async def test_a_call_that_is_cancelled_before_anybody_took_it_is_gone(queue: WorkerQueue) -> None:
    call = calling(queue)
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await nothing(queue)


async def test_a_worker_gets_only_what_it_offers(queue: WorkerQueue) -> None:
    call = calling(queue)
    await asyncio.sleep(0)
    assert await nothing(queue, MAC, {"look": Offer(enabled=True)})
    assert await nothing(queue, MAC, {"mail": Offer(enabled=False, reason="no account")})
    assert await nothing(queue, MAC, {"mail": Offer(enabled=True, drafts_only="no account")})
    queue.finish((await take(queue, IMAC)).id, done(who=IMAC))
    await call


async def test_a_draft_may_be_made_by_a_worker_that_cannot_send(queue: WorkerQueue) -> None:
    call = asyncio.create_task(queue.call("mail", ["x"], CONTEXT))
    job = await take(queue, MAC, {"mail": Offer(enabled=True, drafts_only="no account")})
    queue.finish(job.id, done())
    await call


@pytest.mark.parametrize("text", ["half a pair \ud800", "x" * MAX_JOB_BYTES])
async def test_what_cannot_be_sent_to_a_worker_is_refused_before_anybody_gets_it(
    queue: WorkerQueue, text: str
) -> None:
    with pytest.raises(ArgumentError):
        await queue.call("mail", [text], SENDING)
    assert await nothing(queue)


async def test_more_calls_than_the_queue_holds_are_refused(
    queue: WorkerQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_JOBS", 1)
    first = calling(queue)
    await asyncio.sleep(0)
    with pytest.raises(WorkerUnavailable, match="too many"):
        await queue.call("mail", ["second"], SENDING)
    queue.finish((await take(queue)).id, done())
    await first


async def test_an_unknown_tool_is_an_error(queue: WorkerQueue) -> None:
    with pytest.raises(UnknownTool):
        await queue.call("fly", [], SENDING)


# --- the worker falls silent -----------------------------------------------------------------


async def test_a_worker_that_falls_silent_in_the_middle_leaves_the_outcome_unknown() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=SHORT_S)
    call = calling(queue)
    job = await take(queue)
    assert not queue.heartbeat(job.id, MAC)
    with pytest.raises(OutcomeUnknown, match="mac stopped answering"):
        await call
    assert await nothing(queue) and await nothing(queue, IMAC)
    with pytest.raises(Conflict):
        queue.finish(job.id, done())
    with pytest.raises(Conflict):
        queue.heartbeat(job.id, MAC)


async def test_a_job_whose_worker_never_began_was_not_done_and_may_not_be_begun_later() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=SHORT_S)
    call = calling(queue)
    job = await take(queue)
    with pytest.raises(WorkerUnavailable, match="not begun"):
        await call
    with pytest.raises(Conflict):
        queue.heartbeat(job.id, MAC)
    assert await nothing(queue)


async def test_a_read_whose_worker_falls_silent_has_merely_failed() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=SHORT_S)
    call = calling(queue, "look", "Sid")
    queue.heartbeat((await take(queue)).id, MAC)
    with pytest.raises(AppFailed, match="mac stopped answering"):
        await call


async def test_a_worker_that_is_heard_of_may_take_longer_than_the_lease() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=1.0)
    call = calling(queue)
    job = await take(queue)
    for _ in range(6):
        assert not queue.heartbeat(job.id, MAC)
        await asyncio.sleep(0.25)
    queue.finish(job.id, done())
    assert isinstance(await call, ToolResult)


# --- results that come twice, late or from others --------------------------------------------


async def test_the_same_result_twice_is_fine_and_another_one_is_a_conflict(queue: WorkerQueue) -> None:
    call = calling(queue)
    job = await take(queue)
    queue.finish(job.id, done("one"))
    queue.finish(job.id, done("one"))
    with pytest.raises(Conflict):
        queue.finish(job.id, done("two"))
    result = await call
    assert isinstance(result, ToolResult) and result.value == "one"
    queue.finish(job.id, done("one"))


async def test_only_the_worker_that_has_the_job_may_speak_for_it(queue: WorkerQueue) -> None:
    call = calling(queue)
    job = await take(queue)
    for other in (IMAC, new_worker("mac")):
        with pytest.raises(Forbidden):
            queue.finish(job.id, done(who=other))
        with pytest.raises(Forbidden):
            queue.heartbeat(job.id, other)
    queue.finish(job.id, done())
    await call
    with pytest.raises(Forbidden):
        queue.finish(job.id, done(who=IMAC))


async def test_a_job_that_never_was_is_not_found(queue: WorkerQueue) -> None:
    with pytest.raises(NotFound):
        queue.finish("job_0", done())
    with pytest.raises(NotFound):
        queue.heartbeat("job_0", MAC)


async def test_a_worker_hears_with_its_heartbeat_that_the_call_was_cancelled(queue: WorkerQueue) -> None:
    call = calling(queue, "look", "Sid")
    job = await take(queue)
    assert queue.heartbeat(job.id, MAC) is False
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert queue.heartbeat(job.id, MAC) is True
    with pytest.raises(Conflict):
        queue.finish(job.id, done())


# --- who is there ----------------------------------------------------------------------------


def reasons(queue: WorkerQueue) -> set[str]:
    return {status.reason for status in queue.tools()}


async def test_the_tools_are_off_until_a_worker_comes_and_again_when_it_is_silent() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=0.1)
    assert not any(status.enabled for status in queue.tools())
    assert all("start `tinyagent worker" in reason for reason in reasons(queue))
    assert await nothing(queue)
    assert all(status.enabled and status.workers == ("mac",) for status in queue.tools())
    await until(lambda: not any(status.enabled for status in queue.tools()), "the worker counts as gone")


async def test_a_worker_that_waits_for_work_is_there_however_long_it_waits() -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=1.0)
    claim = asyncio.create_task(queue.claim(claim_of(wait_s=20), lambda: True))
    for _ in range(5):
        await asyncio.sleep(0.25)
        assert all(status.enabled for status in queue.tools())
    call = calling(queue)
    job = await claim
    assert job is not None
    queue.finish(job.id, done())
    await call


async def test_the_tools_say_who_does_them_and_why_they_are_off(queue: WorkerQueue) -> None:
    await nothing(
        queue, MAC, {"look": Offer(enabled=True), "mail": Offer(enabled=False, reason="no account")}
    )
    await nothing(queue, IMAC, {"look": Offer(enabled=True), "show": Offer(enabled=True, drafts_only="d")})
    look, keep, mail, show = queue.tools()
    assert (look.enabled, look.workers, look.drafts_only) == (True, ("imac", "mac"), "")
    assert (keep.enabled, keep.reason) == (False, "no connected worker carries out keep")
    assert (mail.enabled, mail.reason) == (False, "mac: no account")
    assert (show.enabled, show.drafts_only) == (True, "d")


async def test_a_client_that_has_gone_takes_no_job_with_it(queue: WorkerQueue) -> None:
    there = [True]
    claim = asyncio.create_task(queue.claim(claim_of(), lambda: there[0]))
    await asyncio.sleep(0)
    there[0] = False
    call = calling(queue)
    assert await claim is None
    queue.finish((await take(queue, IMAC)).id, done(who=IMAC))
    await call


# --- details and undo go back to the same worker ---------------------------------------------


async def test_an_approved_call_goes_to_the_worker_that_gave_its_details(queue: WorkerQueue) -> None:
    asking = asyncio.create_task(queue.details("mail", ["x"], CONTEXT))
    job = await take(queue, IMAC)
    assert job.kind == "details"
    queue.finish(job.id, done(who=IMAC, details={"to": "sid@example.com"}))
    details = await asking
    assert details == {"to": "sid@example.com", "worker": "imac"}
    approved = asyncio.create_task(queue.call("mail", ["x"], replace(SENDING, details=details)))
    await asyncio.sleep(0)
    assert await nothing(queue, MAC)
    job = await take(queue, IMAC)
    assert job.context.details == {"to": "sid@example.com"}
    queue.finish(job.id, done(who=IMAC))
    await approved


async def test_nothing_to_show_stays_nothing(queue: WorkerQueue) -> None:
    asking = asyncio.create_task(queue.details("look", ["x"], CONTEXT))
    queue.finish((await take(queue)).id, done())
    assert await asking == {}


async def test_a_call_is_taken_back_by_the_worker_that_did_it(queue: WorkerQueue) -> None:
    call = calling(queue, "mail", "x")
    job = await take(queue)
    queue.finish(job.id, done(undo={"id": "7"}))
    result = await call
    assert isinstance(result, ToolResult) and result.undo is not None
    taking_back = asyncio.create_task(queue.undo("mail", result.undo, CONTEXT))
    await asyncio.sleep(0)
    assert await nothing(queue, IMAC)
    job = await take(queue)
    assert (job.kind, job.record) == ("undo", {"id": "7"})
    queue.finish(job.id, done())
    assert await taking_back == "It is done."


async def test_an_undo_whose_worker_is_gone_names_it() -> None:
    queue = WorkerQueue(SPECS, wait_s=SHORT_S, lease_s=20)
    await nothing(queue, IMAC, EVERYTHING)
    with pytest.raises(WorkerUnavailable, match="the worker mac"):
        await queue.undo("mail", {"id": "7", "worker": "mac"}, CONTEXT)


# --- the server stops ------------------------------------------------------------------------


async def test_a_stopping_queue_gives_out_nothing_more_and_waits_for_what_is_begun(
    queue: WorkerQueue,
) -> None:
    begun = calling(queue, "mail", "first")
    job = await take(queue)
    waiting = calling(queue, "mail", "second")
    claim = asyncio.create_task(queue.claim(claim_of(IMAC, {"look": Offer(enabled=True)}), lambda: True))
    await asyncio.sleep(0)
    queue.stop()
    for ended in (waiting, claim, calling(queue, "mail", "third")):
        with pytest.raises(WorkerUnavailable, match="stopping"):
            await ended
    drained = asyncio.create_task(queue.drained(20))
    await asyncio.sleep(0)
    assert not drained.done()
    queue.finish(job.id, done())
    assert await drained
    assert isinstance(await begun, ToolResult)


async def test_invitations_go_out_by_a_worker_that_can_invite(queue: WorkerQueue) -> None:
    call = calling(queue, "keep", "lunch", 1, True, ["ann@example.org"])
    await asyncio.sleep(0)
    assert await nothing(queue, IMAC, {"keep": Offer(enabled=True)})
    job = await take(queue, MAC, {"keep": Offer(enabled=True, invites=True)})
    queue.finish(job.id, done())
    await call
    quiet = asyncio.create_task(queue.call("keep", ["lunch", 1, True, []], CONTEXT))
    await asyncio.sleep(0)
    job = await take(queue, IMAC, {"keep": Offer(enabled=True)})
    queue.finish(job.id, done(who=IMAC))
    await quiet
