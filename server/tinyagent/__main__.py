"""`python -m tinyagent`."""

from tinyagent.cli import main

if __name__ == "__main__":
    main()
