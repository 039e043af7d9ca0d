"""Handles and prefixes as people write them on a command line, and what is said when they are none."""

from __future__ import annotations

import click

from handle_protocol.errors import InvalidHandle
from handle_protocol.handle import Handle, Prefix
from handle_protocol.value import ValueReference
from node.cli.language import words
from node.errors import NodeError, Text
from node.input.handle_cell import parse_handle
from node.input.problems import RowError, RowProblem


def parse_prefix(spelling: str) -> Prefix:
    """Read a prefix.

    Raises:
        NodeError: it is none.
    """
    try:
        return Prefix.parse(spelling)
    except InvalidHandle as error:
        raise NodeError(
            Text(str(error), f"前缀无效({error})"),
            Text("a prefix is segments joined by dots, such as 88.118.8", "前缀由以点分隔的各段组成,例如 88.118.8"),
        ) from None


def parse_new_handle(spelling: str) -> Handle:
    """Read a handle that is to be stored; the rules are those of an imported row.

    Raises:
        NodeError: it is none, or has no prefix or no suffix.
    """
    try:
        return parse_handle(spelling)
    except RowProblem as problem:
        said = RowError.of(0, spelling, problem)
        raise NodeError(
            Text(said.reason, said.reason_zh),
            Text("a handle is PREFIX/SUFFIX, such as 88.118.8/abc", "标识形如 前缀/后缀,例如 88.118.8/abc"),
        ) from None


def parse_reference(spelling: str) -> ValueReference:
    """Read a key or a group, such as 300:0.NA/88.118.8.

    Raises:
        click.BadParameter: it is not INDEX:HANDLE.
    """
    reference = ValueReference.parse(spelling)
    try:
        if str(reference) == spelling or reference.index:
            Handle.parse(reference.handle)
            return reference
    except InvalidHandle:
        pass
    raise click.BadParameter(
        words(
            f"expected INDEX:HANDLE, such as 300:0.NA/88.118.8, not {spelling!r}",
            f"应为 索引:标识,例如 300:0.NA/88.118.8,而不是 {spelling!r}",
        )
    )
