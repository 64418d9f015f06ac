"""TrialStore: append once per (robot, session, trial), read back, watch; and its SQLite form. One connection, one thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from robot_adapt.errors import UserError
from robot_adapt.wire.convert import InvalidTrialError, SealedTrial


@dataclass(frozen=True)
class SessionInfo:
    """A session and the SHA-256 (hex) of the policy it began with; `trials` counts those stored."""

    robot: str
    session: str
    policy_sha256: str
    trials: int = 0


class ConflictError(Exception):
    """Something else is stored under this key; the first is kept."""


class PolicyMismatchError(Exception):
    """This session is known with another policy."""


class StoreUnavailableError(Exception):
    """The store does not answer now; what was given may be given again later."""


class TrialStore(Protocol):
    """Where trials are kept; the same in SQLite and at the other end of a channel."""

    def register(self, info: SessionInfo) -> None:
        """A session exists; again is fine. Raises PolicyMismatchError when it is known with another policy."""

    def append(self, trial: SealedTrial) -> None:
        """On disk when this returns. The same trial again changes nothing; another under its key raises ConflictError.

        Raises InvalidTrialError for bytes that are no trial, or whose session is not registered.
        """

    def trials(self, robot: str, session: str) -> list[SealedTrial]:
        """By number; none for an unknown session."""

    def sessions(self) -> list[SessionInfo]:
        """All that are registered, in that order."""

    def watch(self, after_sequence: int, idle_s: float) -> Iterator[tuple[int, SealedTrial]]:
        """Trials of all sessions in the order stored, those after a sequence number (from 1), then new ones as they come.

        Ends when none has come for `idle_s`.
        """


_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    robot TEXT NOT NULL, session TEXT NOT NULL, policy_sha256 TEXT NOT NULL,
    PRIMARY KEY (robot, session)
);
CREATE TABLE IF NOT EXISTS trials (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    robot TEXT NOT NULL, session TEXT NOT NULL, number INTEGER NOT NULL,
    phase TEXT NOT NULL, status TEXT NOT NULL, return_value REAL,
    sha256 BLOB NOT NULL, payload BLOB NOT NULL, stored_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    UNIQUE (robot, session, number),
    FOREIGN KEY (robot, session) REFERENCES sessions (robot, session)
);
PRAGMA user_version = 1;
"""
_VERSION = 1
_POLL_S = 0.05
_BUSY_S = 5.0


class SqliteTrialStore:
    """A TrialStore in one SQLite file. Raises UserError when the file is not one of ours."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("BEGIN IMMEDIATE")  # another opener waits
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if version != _VERSION and (version, tables) != (0, 0):
                self._database.close()
                raise UserError(f"{path}: a database of another program or version")
            for statement in _SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute("COMMIT")
            # Commits survive power loss: a WAL, synced at every commit.
            self._begin_wal()
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA foreign_keys = ON")
        except (sqlite3.DatabaseError, OSError) as error:
            raise UserError(f"{path}: cannot be used as a trials database: {error}") from None

    def _begin_wal(self) -> None:
        """SQLite waits for no other opener here, so this does."""
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_S)

    def close(self) -> None:
        self._database.close()

    def register(self, info: SessionInfo) -> None:
        key = (info.robot, info.session)
        self._database.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?)", (*key, info.policy_sha256))
        query = "SELECT policy_sha256 FROM sessions WHERE robot = ? AND session = ?"
        (known,) = self._database.execute(query, key).fetchone()
        if known != info.policy_sha256:
            raise PolicyMismatchError(
                f"session {info.session} of {info.robot} is known with policy {known[:12]}, not {info.policy_sha256[:12]}"
            )

    def append(self, trial: SealedTrial) -> None:
        record = trial.record
        key = (trial.robot, trial.session, trial.number)
        try:
            self._database.execute(
                "INSERT INTO trials (robot, session, number, phase, status, return_value, sha256, payload)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*key, record.phase.value, record.status.value, record.value, trial.sha256, trial.payload),
            )
        except sqlite3.IntegrityError:
            query = "SELECT sha256 FROM trials WHERE robot = ? AND session = ? AND number = ?"
            row = self._database.execute(query, key).fetchone()
            if row is None:
                raise InvalidTrialError(f"session {trial.session} of {trial.robot} is not registered") from None
            if row[0] != trial.sha256:
                raise ConflictError(
                    f"trial {trial.number} of session {trial.session} of {trial.robot} is stored with other content"
                ) from None
        except sqlite3.OperationalError as error:  # disk full, locked: the sender keeps it and tries again
            raise StoreUnavailableError(str(error)) from None

    def trials(self, robot: str, session: str) -> list[SealedTrial]:
        query = "SELECT number, payload FROM trials WHERE robot = ? AND session = ? ORDER BY number"
        rows = self._database.execute(query, (robot, session))
        return [SealedTrial(robot, session, number, payload) for number, payload in rows]

    def sessions(self) -> list[SessionInfo]:
        rows = self._database.execute(
            "SELECT s.robot, s.session, s.policy_sha256, count(t.sequence) FROM sessions AS s"
            " LEFT JOIN trials AS t USING (robot, session) GROUP BY s.rowid ORDER BY s.rowid"
        )
        return [SessionInfo(*row) for row in rows]

    def watch(self, after_sequence: int, idle_s: float) -> Iterator[tuple[int, SealedTrial]]:
        query = "SELECT sequence, robot, session, number, payload FROM trials WHERE sequence > ? ORDER BY sequence LIMIT 100"
        quiet_since = time.monotonic()
        while True:
            rows = self._database.execute(query, (after_sequence,)).fetchall()
            for after_sequence, *trial in rows:
                yield after_sequence, SealedTrial(*trial)
            if rows:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= idle_s:
                return
            else:
                time.sleep(_POLL_S)
