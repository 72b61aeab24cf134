"""The append-only record of runs: in memory for tests and plans, in SQLite for the server."""
