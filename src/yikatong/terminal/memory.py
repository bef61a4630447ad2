"""What this terminal remembers of codes it let pass, across restarts: `Seen` of the pass, on disk."""

from yikatong.terminal.store import Store
from yikatong.using.codes.pass_ import Policy, Presentation, Spent


class Memory:
    """Read and written inside the transaction that decides (`Store.transaction`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def replayed(self, replay_key: bytes, /) -> bool:
        return bool(self._store.rows("SELECT 1 FROM passed WHERE replay_key = ?", replay_key))

    def spent(self, credential: bytes, /) -> Spent:
        found = self._store.rows("SELECT uses, fen FROM spent WHERE identity = ?", credential)
        return Spent(*found[0]) if found else Spent(0, 0)

    def record(self, presentation: Presentation, *, fen: int = 0) -> None:
        """Remember one use that is let pass."""
        credential = presentation.credential
        self._store.run(
            "INSERT OR REPLACE INTO passed VALUES (?, ?)", presentation.replay_key, presentation.made_at
        )
        self._store.run(
            """INSERT INTO spent VALUES (?, 1, ?, ?)
            ON CONFLICT (identity) DO UPDATE SET uses = uses + 1, fen = fen + excluded.fen""",
            credential.identity,
            fen,
            credential.expires_at,
        )

    def record_shown(self, presentation: Presentation) -> None:
        """Remember a code that passed online: it may not pass again offline; the limits are for offline alone."""
        self._store.run(
            "INSERT OR REPLACE INTO passed VALUES (?, ?)", presentation.replay_key, presentation.made_at
        )

    def forget(self, *, now: int, policy: Policy) -> None:
        """Drop what can no longer matter."""
        oldest = now - policy.validity_s - policy.tolerance_s
        self._store.run("DELETE FROM passed WHERE made_at <= ?", oldest)
        self._store.run("DELETE FROM spent WHERE expires_at <= ?", now)
