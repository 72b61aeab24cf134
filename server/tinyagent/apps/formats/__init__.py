"""The open formats that data is kept and sent in: vCard, iCalendar and mail messages."""
