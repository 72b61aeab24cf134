"""What is told about the server's work: figures, traces and a log, never what is asked or answered."""
