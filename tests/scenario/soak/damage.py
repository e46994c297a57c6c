"""Corrupted state: what is done to the store's files while the authority is down, and what can be
said of them without touching them."""

import contextlib
import pathlib
import random
import shutil
import sqlite3
import tempfile

PAGE = 4096
MAIN, COPY = "sluice.db", "sluice.backup.db"


def commits(state):
    """How many the store and its copy have; 0: it cannot be read. Of copies, since SQLite would
    tidy up what a kill left."""
    with tempfile.TemporaryDirectory() as folder:
        for file in state.glob("sluice*"):
            # While a daemon runs files come and go.
            if "damaged" not in file.name:
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(file, folder)
        return tuple(_commits(pathlib.Path(folder) / name) for name in (MAIN, COPY))


def copy_is_whole(state):
    db, copy = commits(state)
    return copy > 0 and copy >= db - 5


def _commits(path):
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database:
            if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return 0
            return database.execute("SELECT commits FROM seal").fetchone()[0]
    except (sqlite3.DatabaseError, TypeError):
        return 0


def _files(state, name):
    """That have anything in them, without the index of the journal."""
    files = [state / name, state / f"{name}-wal"]
    return [file for file in files if file.exists() and file.stat().st_size > 0]


def _flip(file, chance):
    """A bit."""
    with open(file, "r+b") as opened:
        at = chance.randrange(file.stat().st_size)
        opened.seek(at)
        octet = opened.read(1)[0]
        opened.seek(at)
        opened.write(bytes([octet ^ 1 << chance.randrange(8)]))
    return f"{file.name} at {at}"


def bits(state, draw):
    chance = random.Random(draw)
    files = _files(state, MAIN)
    return ", ".join(_flip(chance.choice(files), chance) for _ in range(chance.choice((1, 1, 8))))


def zeros(state, draw):
    chance = random.Random(draw)
    file = state / MAIN
    page = chance.randrange(max(1, file.stat().st_size // PAGE))
    with open(file, "r+b") as opened:
        opened.seek(page * PAGE)
        opened.write(bytes(PAGE))
    return f"page {page} of {file.name}"


def journal(state, _):
    (state / f"{MAIN}-wal").unlink(missing_ok=True)
    return f"{MAIN}-wal is gone"


def gone(state, _):
    for end in ("", "-wal", "-shm"):
        (state / f"{MAIN}{end}").unlink(missing_ok=True)
    return f"{MAIN} is gone"


def copy(state, draw):
    chance = random.Random(draw)
    for file in _files(state, COPY):
        file.write_bytes(chance.randbytes(file.stat().st_size))
    return f"{COPY} is rubbish"


DAMAGES = {"bits": bits, "zeros": zeros, "journal": journal, "gone": gone, "copy": copy}
