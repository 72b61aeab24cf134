"""The inbox of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from tinyagent.demo.people import OWNER

SELECTED = "<ramp-quote-2026@example.org>"
"""The message that is selected: not the latest one."""


@dataclass(frozen=True)
class _Mail:
    id: str
    sent: datetime
    sender: str
    subject: str
    text: str
    attachment: tuple[str, str] | None = None
    """File name and text."""
    answers: str = ""
    reply_to: str = ""

    @property
    def path(self) -> str:
        """The Maildir file, marked as seen."""
        return f"mail/Inbox/cur/{self.sent:%s}.{self.id.partition('@')[0]}.demo:2,S"

    def content(self) -> bytes:
        message = EmailMessage(policy.default)
        message["Message-ID"] = f"<{self.id}>"
        message["Date"] = format_datetime(self.sent)
        message["From"] = self.sender
        message["To"] = OWNER
        if self.reply_to:
            message["Reply-To"] = self.reply_to
        if self.answers:
            message["In-Reply-To"] = f"<{self.answers}>"
            message["References"] = f"<{self.answers}>"
        message["Subject"] = self.subject
        message.set_content(self.text)
        if self.attachment:
            name, text = self.attachment
            message.add_attachment(text.encode(), maintype="text", subtype="csv", filename=name)
            # Without this the boundary between the parts would be another one each time.
            message.set_boundary(f"demo-{self.sent:%Y%m%d}")
        return message.as_bytes()


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


_MAILS = (
    _Mail(
        "bookclub-nov-2026@example.com",
        _at(9, 18, 4),
        "Maria Santos <maria.santos@example.com>",
        "Next book",
        "Hi Robin,\n\nthe vote is in: we read the one about the lighthouse keepers. "
        "We meet on the first Tuesday of December at my place, as always at seven.\n\nMaria\n",
        reply_to="Book Club <bookclub@example.org>",
    ),
    _Mail(
        "boiler-2026@example.com",
        _at(11, 8, 30),
        "Elif Yıldız <elif.yildiz@example.com>",
        "Boiler inspection",
        "Good morning,\n\nthe yearly inspection of the boiler is due. Could somebody be at home on the 24th "
        "between nine and noon? If not, please name two other mornings.\n\nElif Yıldız\n",
    ),
    _Mail(
        "ramp-quote-2026@example.org",
        _at(16, 13, 45),
        "Adaeze Okonkwo <adaeze.okonkwo@example.org>",
        "Quote for the ramp",
        "Robin,\n\nattached is the quote for the ramp at the side entrance. Two of the three positions look "
        "fair; the third, the handrail, is almost twice what we paid last year. Can you ask for a second "
        "offer before Friday? The council decides on the 30th.\n\nAdaeze\n",
        attachment=("ramp-quote.csv", "position,euro\nfoundation,2400\nramp,5150\nhandrail,1980\n"),
    ),
    _Mail(
        "minutes-1110@example.com",
        _at(17, 10, 12),
        "Priya Raghunathan <priya.raghunathan@example.com>",
        "Minutes of 10 November",
        "Hello all,\n\nthe minutes are in the shared folder. Please send me corrections until Thursday. "
        "Wei still owes us the numbers for the self-service trial.\n\nPriya\n",
    ),
    _Mail(
        "re-minutes-1110@example.org",
        _at(18, 16, 40),
        "Wei Zhang <wei.zhang@example.org>",
        "Re: Minutes of 10 November",
        "Here they are: 312 returns in the test week, 41 of them needed help. "
        "I would call that a success, with a better sign next to the slot.\n\nWei\n",
        answers="minutes-1110@example.com",
    ),
    _Mail(
        "bergen-2026@example.net",
        _at(20, 19, 55),
        "Ingrid Haugland <ingrid.haugland@example.net>",
        "Bergen in May",
        "Dear Robin,\n\nthe guest room is yours from the 14th to the 18th of May. Bring a rain jacket, "
        "whatever the forecast says. Shall I book the boat to the islands for Saturday?\n\nIngrid\n",
    ),
)


def inbox() -> tuple[_Mail, ...]:
    """The received messages, oldest first."""
    return _MAILS
