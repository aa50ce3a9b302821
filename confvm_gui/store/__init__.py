"""What the console keeps on disk: one SQLite database in one data directory.

`open_store` is the way in; it returns a `confvm_gui.domain.ports.repositories.Store`.

    console_store   open_store, the Store itself
    database        the files of a data directory: opening, checking, creating
    directory_lock  one writing console at a time
    schema          the tables, version by version
    migrations      bringing an older database up to date (sqlite-utils), with a backup first
    multi_row       INSERT of many rows by few statements
    writer          the one thread that writes, many writes to a transaction
    readers         threads that read, each with a connection of its own
    sqlite_faults   SQLite's error codes in the console's words
    encoding        text and JSON as they are stored
    evidence_content, verdict_text                      a record's evidence and verdict as they are stored
    instances, operations, audit, samples, evidence, baselines, settings    one repository per aggregate
"""

from confvm_gui.store.console_store import ConsoleStore, open_store

__all__ = ["ConsoleStore", "open_store"]
