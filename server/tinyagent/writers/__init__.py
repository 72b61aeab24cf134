"""Prose: bodies of mails, notes, summaries, answers, by a language model or composed without one."""
