"""What the field talks about: plans, tools, events, runs and dates. Pure: no I/O, no clock."""
