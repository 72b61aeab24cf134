"""Which of the things that are stored a name means that somebody says."""
