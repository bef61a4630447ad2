"""Constraints of the database as named refusals: the loser of a race is told what happened."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from yikatong.core.errors import DomainError


def name_of(error: IntegrityError) -> str:
    """The constraint that was violated, "" where PostgreSQL does not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


@contextmanager
def refusing(refusals: Mapping[str, type[DomainError]]) -> Iterator[None]:
    """Run a block in its own savepoint; raise the refusal that belongs to a violated constraint."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        refusal = refusals.get(name_of(error))
        if refusal is None:
            raise
        raise refusal from None
