"""Progress of long commands: a bar on a terminal, plain `N/M` lines everywhere else; always on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_PLAIN_LINES_MAX = 20


class Tick(Protocol):
    """Call when `count` more units are taken up; `what` says which, for the person watching."""

    def __call__(self, what: str = "", count: int = 1) -> None: ...


@contextmanager
def progress(label: str, total: int) -> Iterator[Tick]:
    """Show how far a command is. The block gets a function to call once a unit; plain output has ~20 lines."""
    yield_bar = _bar if sys.stderr.isatty() else _lines
    with yield_bar(label, total) as tick:
        yield tick


@contextmanager
def _bar(label: str, total: int) -> Iterator[Tick]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=total)

        def tick(what: str = "", count: int = 1) -> None:
            shown.update(task, advance=count, description=what)

        yield tick


@contextmanager
def _lines(label: str, total: int) -> Iterator[Tick]:
    done = printed = 0
    every = max(1, -(-total // _PLAIN_LINES_MAX))

    def tick(what: str = "", count: int = 1) -> None:
        nonlocal done, printed
        done += count
        if done // every > printed or done >= total:
            printed = done // every
            print(f"{label} {done}/{total} {what}".rstrip(), file=sys.stderr, flush=True)

    yield tick
