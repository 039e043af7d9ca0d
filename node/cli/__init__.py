"""The command line: one file for each command, a frame that finds them, and one place where errors become words."""

from node.cli.frame import main

__all__ = ["main"]
