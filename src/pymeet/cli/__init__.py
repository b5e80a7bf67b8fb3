"""The command line: `main` is the `pymeet` program. One file per command group; what they do is in ops/operations.py."""

from pymeet.cli.app import main

__all__ = ["main"]
