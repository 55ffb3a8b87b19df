"""Brings a library file to this program's version: numbered plain steps, each in one transaction, a copy first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw

from ..domain.errors import DatabaseProblem
from .backups import copy_database

APPLICATION_ID = 0x49474454  # "IGDT"

Step = Callable[[apsw.Connection], None]

_QUEUE = """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL, request TEXT NOT NULL, provider TEXT NOT NULL,
        priority INTEGER NOT NULL, position REAL NOT NULL, step INTEGER NOT NULL, steps INTEGER NOT NULL,
        image_index INTEGER NOT NULL, images_done INTEGER NOT NULL, attempts INTEGER NOT NULL,
        owner TEXT NOT NULL, lease_until REAL NOT NULL, lease_seconds REAL NOT NULL,
        created TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, error TEXT NOT NULL
    ) STRICT;
    CREATE INDEX jobs_by_turn ON jobs (state, priority DESC, position);
"""

_HISTORY = """
    CREATE TABLE images (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, idx INTEGER NOT NULL,
        path TEXT NOT NULL, created TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
        file_size INTEGER NOT NULL, file_sha256 TEXT NOT NULL, pixels_sha256 TEXT NOT NULL,
        request TEXT NOT NULL, request_key BLOB NOT NULL, prompt TEXT NOT NULL, negative_prompt TEXT NOT NULL,
        style TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, task TEXT NOT NULL,
        model_hash TEXT NOT NULL, seconds REAL NOT NULL, cost REAL, resumed_at INTEGER, rating INTEGER NOT NULL,
        tags TEXT NOT NULL, parents TEXT NOT NULL, missing INTEGER NOT NULL, deleted TEXT NOT NULL,
        UNIQUE (job, idx)
    ) STRICT;
    CREATE INDEX images_by_bin ON images (deleted);
    CREATE INDEX images_by_model ON images (model, deleted);
    CREATE INDEX images_by_style ON images (style, deleted);
    CREATE INDEX images_by_provider ON images (provider, deleted);
    CREATE INDEX images_rated ON images (number, rating, deleted) WHERE rating > 0;
    CREATE INDEX images_by_file ON images (file_sha256);
    CREATE INDEX images_by_request ON images (request_key);
"""

_SEARCH = """
    CREATE VIRTUAL TABLE images_text USING fts5 (
        prompt, negative_prompt, style, model, tags,
        content='images', content_rowid='number', prefix='2 3', tokenize='unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER images_text_added AFTER INSERT ON images BEGIN
        INSERT INTO images_text (rowid, prompt, negative_prompt, style, model, tags)
        VALUES (new.number, new.prompt, new.negative_prompt, new.style, new.model, new.tags);
    END;
    CREATE TRIGGER images_text_removed AFTER DELETE ON images BEGIN
        INSERT INTO images_text (images_text, rowid, prompt, negative_prompt, style, model, tags)
        VALUES ('delete', old.number, old.prompt, old.negative_prompt, old.style, old.model, old.tags);
    END;
    CREATE TRIGGER images_text_changed
    AFTER UPDATE OF prompt, negative_prompt, style, model, tags ON images BEGIN
        INSERT INTO images_text (images_text, rowid, prompt, negative_prompt, style, model, tags)
        VALUES ('delete', old.number, old.prompt, old.negative_prompt, old.style, old.model, old.tags);
        INSERT INTO images_text (rowid, prompt, negative_prompt, style, model, tags)
        VALUES (new.number, new.prompt, new.negative_prompt, new.style, new.model, new.tags);
    END;
"""

_STYLES_AND_FACTS = """
    CREATE TABLE styles (
        name TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, title TEXT NOT NULL, prompt TEXT NOT NULL,
        negative_prompt TEXT NOT NULL, guidance REAL, steps INTEGER, picture TEXT NOT NULL
    ) STRICT;

    CREATE TABLE facts (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
    INSERT INTO facts VALUES ('library_id', lower(hex(randomblob(16))));
"""


def _first_tables(connection: apsw.Connection) -> None:
    for statements in (_QUEUE, _HISTORY, _SEARCH, _STYLES_AND_FACTS):
        connection.execute(statements)


def _paid_calls(connection: apsw.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE paid_calls (
            nonce TEXT PRIMARY KEY NOT NULL, job TEXT NOT NULL, idx INTEGER NOT NULL, provider TEXT NOT NULL,
            model TEXT NOT NULL, provider_id TEXT NOT NULL, state TEXT NOT NULL, estimate REAL NOT NULL, cost REAL,
            began TEXT NOT NULL, ended TEXT NOT NULL
        ) STRICT;
        CREATE INDEX paid_calls_by_job ON paid_calls (job);
        CREATE INDEX paid_calls_by_time ON paid_calls (began);
        """
    )


#: What a library of this version holds.
TABLES = ("facts", "styles", "jobs", "images", "images_text", "paid_calls")

#: Step i brings version i to version i + 1. Never edit one that was released; add another.
STEPS: tuple[Step, ...] = (_first_tables, _paid_calls)


#: No program of ours will ever have had so many versions of its library.
_PLAUSIBLE = 10_000


def migrate(connection: apsw.Connection, path: Path, backups: Path, steps: Sequence[Step] = STEPS) -> None:
    """Runs the steps the file still lacks; a file newer than this program is a DatabaseProblem, one
    that does not hold what its version had a CorruptError."""
    with connection:  # as it is at one moment: another process may be migrating
        version = _version(connection)
        changed = 0 <= version < len(steps) and schema(connection) != schema_of(steps[:version])
    if changed or not 0 <= version <= _PLAUSIBLE:
        raise apsw.CorruptError(f"{path} calls itself version {version}")
    if version > len(steps):
        raise DatabaseProblem(
            f"The library {path} was written by a newer version of this program.",
            "Install that version again, or choose another home folder.",
        )
    for number in range(version + 1, len(steps) + 1):
        if number == version + 1 and version > 0:  # a file of an older program, not one just made
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            copy_database(connection, backups / f"library-before-version-{number}-{stamp}.sqlite3")
        _run_step(connection, number, steps[number - 1])


def schema(connection: apsw.Connection) -> set[tuple[str, str]]:
    """Names and statements, whatever their line breaks."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(name, " ".join(sql.split())) for name, sql in rows}


def schema_of(steps: Sequence[Step]) -> set[tuple[str, str]]:
    """What these steps make of an empty file."""
    blank = apsw.Connection(":memory:")
    try:
        for step in steps:
            step(blank)
        return schema(blank)
    finally:
        blank.close()


def _run_step(connection: apsw.Connection, number: int, step: Step) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) == number - 1:  # else another process was quicker
            step(connection)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: apsw.Connection) -> int:
    return int(connection.pragma("user_version"))
