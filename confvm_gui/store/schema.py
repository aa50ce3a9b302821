"""The tables of the console's database, version by version.

A version is never edited once released: a change is a new one at the end. `user_version` is the number of versions that
a database has. Tables are STRICT (https://www.sqlite.org/stricttables.html): a wrong type is refused, not converted.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION_ID = 0x43564D43
"""SQLite's application_id of a console database: "CVMC", as `file` shows it."""

MIGRATION_SET = "confvm-console"
"""Name of the set in sqlite-utils' table of applied migrations."""

MIGRATIONS_TABLE = (
    'CREATE TABLE "_sqlite_migrations" '
    '("id" INTEGER PRIMARY KEY, "migration_set" TEXT, "name" TEXT, "applied_at" TEXT)',
    'CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name" ON "_sqlite_migrations" ("migration_set", "name")',
)
"""As sqlite-utils 4 makes it, so that a new database need not wait for the import of sqlite-utils."""


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One step from the version before."""

    name: str
    statements: tuple[str, ...]


_INSTANCES = """
CREATE TABLE instances (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    cloud TEXT NOT NULL,
    region TEXT NOT NULL,
    zone TEXT NOT NULL,
    machine_type TEXT NOT NULL,
    image TEXT NOT NULL,
    technology TEXT NOT NULL,
    state TEXT NOT NULL,
    vcpus INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    created_at REAL NOT NULL,
    state_reason TEXT NOT NULL,
    trust TEXT NOT NULL,
    trust_at REAL,
    trust_by TEXT NOT NULL,
    compliance TEXT NOT NULL,
    load REAL NOT NULL,
    emulated INTEGER NOT NULL,
    runs TEXT NOT NULL,
    labels TEXT NOT NULL
) STRICT
"""

_OPERATIONS = """
CREATE TABLE operations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    instance_name TEXT NOT NULL,
    status TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    intent TEXT NOT NULL,
    steps TEXT NOT NULL,
    progress REAL NOT NULL,
    attempts INTEGER NOT NULL,
    ended_at REAL,
    error TEXT NOT NULL
) STRICT
"""

_AUDIT = (
    """
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY NOT NULL,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    severity TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX audit_subject ON audit (subject, sequence)",
    # The head is kept apart from the log, so that records cut off its end are missed.
    """
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT
""",
    "INSERT INTO audit_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000')",
    """
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END
""",
    """
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END
""",
    # INSERT OR REPLACE deletes without the trigger above, unless recursive_triggers is on: only the next in line may
    # come.
    """
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE sequence = NEW.sequence - 1 AND hash = NEW.previous_hash)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END
""",
    """
CREATE TRIGGER audit_moves_head AFTER INSERT ON audit BEGIN
    UPDATE audit_head SET sequence = NEW.sequence, hash = NEW.hash;
END
""",
    """
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END
""",
)

_SAMPLES = """
CREATE TABLE samples (
    instance_id TEXT NOT NULL,
    at REAL NOT NULL,
    cpu REAL NOT NULL,
    memory_bytes INTEGER NOT NULL,
    disk_read_bytes INTEGER NOT NULL,
    console_bytes INTEGER NOT NULL,
    queries INTEGER NOT NULL
) STRICT
"""

_SAMPLE_TRAFFIC = (
    "ALTER TABLE samples ADD COLUMN disk_write_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE samples ADD COLUMN net_rx_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE samples ADD COLUMN net_tx_bytes INTEGER NOT NULL DEFAULT 0",
)

_INSTANCE_ATTESTATION = (
    "ALTER TABLE instances ADD COLUMN secure_boot INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE instances ADD COLUMN vtpm INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE instances ADD COLUMN integrity_monitoring INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE instances ADD COLUMN host TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE instances ADD COLUMN attested_at REAL",
)

_EVIDENCE = (
    # What a list shows stands in columns; `content` is all that the verdict stands on, see `evidence_content`.
    """
CREATE TABLE evidence (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    instance_id TEXT NOT NULL,
    occasion TEXT NOT NULL,
    at REAL NOT NULL,
    format TEXT NOT NULL,
    trusted INTEGER NOT NULL,
    emulated INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    warnings INTEGER NOT NULL,
    measurement TEXT NOT NULL,
    given_by TEXT NOT NULL,
    differs TEXT NOT NULL,
    nonce BLOB NOT NULL,
    verdict TEXT NOT NULL,
    content BLOB NOT NULL
) STRICT
""",
    "CREATE INDEX evidence_of_instance ON evidence (instance_id, sequence)",
    "CREATE INDEX evidence_refused ON evidence (sequence) WHERE occasion = 'launch' AND trusted = 0",
    # Apart from the evidence, which is pruned: a chip's history outlives the instances that told it.
    """
CREATE TABLE tcb_points (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    chip_id TEXT NOT NULL,
    at REAL NOT NULL,
    versions TEXT NOT NULL,
    instance_id TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX tcb_points_of_chip ON tcb_points (chip_id, at, sequence)",
    "CREATE TABLE chips (chip_id TEXT PRIMARY KEY NOT NULL, seen_at REAL NOT NULL) STRICT",
    """
CREATE TABLE baselines (
    instance_id TEXT NOT NULL,
    format TEXT NOT NULL,
    at REAL NOT NULL,
    origin TEXT NOT NULL,
    claims TEXT NOT NULL,
    PRIMARY KEY (instance_id, format)
) STRICT
""",
)

_AUDIT_ORIGINS = (
    # Records that are there keep the form in which they were hashed: see `audit_chain`.
    "ALTER TABLE audit ADD COLUMN form INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'success'",
    "ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT 'null'",
    "ALTER TABLE audit ADD COLUMN before TEXT NOT NULL DEFAULT 'null'",
    "ALTER TABLE audit ADD COLUMN after TEXT NOT NULL DEFAULT 'null'",
    "CREATE INDEX audit_at ON audit (at)",
    "CREATE INDEX audit_action ON audit (action, sequence)",
)

_APPROVALS = (
    """
CREATE TABLE approvals (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    title TEXT NOT NULL,
    intent TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    status TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at REAL,
    note TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX approvals_open ON approvals (asked_at) WHERE status IN ('waiting', 'approved')",
)

_POLICY = (
    """
CREATE TABLE policy_packs (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT
""",
    """
CREATE TABLE policy_assignments (
    position INTEGER PRIMARY KEY NOT NULL,
    pack TEXT NOT NULL,
    version INTEGER NOT NULL,
    mode TEXT NOT NULL,
    labels TEXT NOT NULL,
    provider TEXT NOT NULL
) STRICT
""",
    """
CREATE TABLE policy_exceptions (
    id TEXT PRIMARY KEY NOT NULL,
    pack TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    until REAL NOT NULL
) STRICT
""",
    """
CREATE TABLE compliance_points (
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    compliant INTEGER NOT NULL,
    warning INTEGER NOT NULL,
    violating INTEGER NOT NULL,
    unguarded INTEGER NOT NULL
) STRICT
""",
    "CREATE INDEX compliance_points_of ON compliance_points (kind, key, at)",
    "CREATE INDEX compliance_points_at ON compliance_points (at)",
)

_SECRETS = (
    # Wrapped by the key that is named; conditions are `{}` for what is never released.
    """
CREATE TABLE bound_secrets (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key_ref TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    conditions TEXT NOT NULL,
    made_at REAL NOT NULL,
    revoked_at REAL,
    given INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT
""",
    """
CREATE TABLE challenges (
    nonce BLOB PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    made_at REAL NOT NULL
) STRICT
""",
    "CREATE INDEX challenges_of ON challenges (subject, made_at)",
    "CREATE INDEX challenges_at ON challenges (made_at)",
)

SCHEMA: tuple[SchemaVersion, ...] = (
    SchemaVersion(
        "m001_first",
        (
            _INSTANCES,
            _OPERATIONS,
            "CREATE INDEX operations_unfinished ON operations (sequence) WHERE status IN ('pending', 'running')",
            *_AUDIT,
            _SAMPLES,
            "CREATE INDEX samples_of_instance ON samples (instance_id, at)",
            "CREATE INDEX samples_at ON samples (at)",
            "CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT",
        ),
    ),
    SchemaVersion("m002_attestation", (*_INSTANCE_ATTESTATION, *_EVIDENCE)),
    SchemaVersion("m003_traffic", _SAMPLE_TRAFFIC),
    SchemaVersion("m004_audit_origins", (*_AUDIT_ORIGINS, *_APPROVALS)),
    SchemaVersion("m005_policy", _POLICY),
    SchemaVersion("m006_secrets", _SECRETS),
)
"""All versions, oldest first."""

TABLES = frozenset(
    {
        "instances",
        "operations",
        "audit",
        "audit_head",
        "samples",
        "settings",
        "evidence",
        "tcb_points",
        "chips",
        "baselines",
        "policy_packs",
        "policy_assignments",
        "policy_exceptions",
        "compliance_points",
        "approvals",
        "bound_secrets",
        "challenges",
    }
)
"""What a database of the current version must have."""
