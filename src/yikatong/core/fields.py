"""Column types: encrypted personal data and the keys of every table."""

from typing import Any

from django.db import models

from yikatong.core.ids import uuid7
from yikatong.core.keyring import INDEX_BYTES, keyring


def key_field() -> "models.UUIDField[Any, Any]":
    """The primary key of every table: UUIDv7."""
    return models.UUIDField(primary_key=True, default=uuid7, editable=False)


class EncryptedTextField(models.BinaryField[Any, Any]):
    """Text kept as SM4-GCM (nonce, ciphertext, tag), bound to its column. Not searchable: see `blind_index`."""

    description = "encrypted text"

    def place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else keyring().unseal(self.place(), bytes(value)).decode()

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        if isinstance(value, str):
            value = keyring().seal(self.place(), value.encode())
        return super().get_db_prep_value(value, connection, prepared)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:  # noqa: ARG002
        """Serialised dumps never carry the plain text."""
        return ""


class IndexField(models.BinaryField[Any, Any]):
    """A blind index: HMAC-SM3 of the plain value, 16 bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", INDEX_BYTES)
        super().__init__(*args, **kwargs)


def blind_index(kind: str, value: str) -> bytes:
    return keyring().blind_index(kind, value)


def sealed(model: type[models.Model], field: str, value: str | None) -> bytes | None:
    """The stored form of an encrypted column, for bulk loads by COPY."""
    if value is None:
        return None
    column = model._meta.get_field(field)
    assert isinstance(column, EncryptedTextField)  # noqa: S101
    return keyring().seal(column.place(), value.encode())
