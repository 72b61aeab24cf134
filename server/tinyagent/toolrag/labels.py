"""The sixteen tools in the class order of the published TinyAgent classifier.

A classifier's output number i speaks of `CLASSES[i]`; weights trained elsewhere with this order
can be dropped in.
"""

from __future__ import annotations

CLASSES: tuple[str, ...] = (
    "create_calendar_event",
    "get_phone_number",
    "get_email_address",
    "open_and_get_file_path",
    "summarize_pdf",
    "compose_new_email",
    "reply_to_email",
    "forward_email",
    "maps_open_location",
    "maps_show_directions",
    "create_note",
    "open_note",
    "append_note_content",
    "create_reminder",
    "send_sms",
    "get_zoom_meeting_link",
)
