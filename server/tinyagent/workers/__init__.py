"""Calls that are carried out by another process: the server's queue, the worker, and its start at login."""
