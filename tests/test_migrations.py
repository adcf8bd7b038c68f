"""One schema, two ways to it, and what happens to a database that is not ours, not new, or not whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from makers import a_subscriber, an_edition
from sqlalchemy import inspect

from notifier.errors import StoreError
from notifier.store import open_store, schema, sql, sqlite
from notifier.store.database import Database
from notifier.store.upgrade import SCRIPTS, migrate, upgrade

URL = "sqlite:///notifier.db"


def a_database(path: Path) -> Database:
    sqlite.make_file(path)
    return Database(sqlite.engine(path), str(path))


def shape(database: Database) -> dict[str, object]:
    """Everything about the tables that a person could tell, by name."""
    with database.read() as connection:
        seen = inspect(connection)
        return {
            table: [
                sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)),
                seen.get_pk_constraint(table),
                sorted(map(str, seen.get_foreign_keys(table))),
                sorted(map(str, seen.get_unique_constraints(table))),
                sorted(map(str, seen.get_check_constraints(table))),
                sorted(str((i["name"], i["column_names"], i["unique"])) for i in seen.get_indexes(table)),
            ]
            for table in seen.get_table_names()
        }


def partial_indexes(database: Database) -> list[str]:
    with database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"
        )
        return sorted(row[0] for row in found)


def set_version(path: Path, version: str) -> None:
    database = a_database(path)
    with database.write() as connection:
        connection.execute(schema.version.update().values(version_num=version))
    database.close()


@pytest.fixture
def created(tmp_path: Path) -> Path:
    """A state folder with an empty store."""
    open_store(URL, tmp_path).close()
    return tmp_path


def test_migrations_and_a_new_database_give_the_same_tables(tmp_path: Path, created: Path) -> None:
    migrated = a_database(tmp_path / "migrated.db")
    migrate(migrated)
    new = a_database(created / "notifier.db")

    assert shape(migrated) == shape(new)
    assert partial_indexes(migrated) == partial_indexes(new) != []
    with migrated.read() as one, new.read() as other:
        head = schema.version.select()
        assert one.execute(head).all() == other.execute(head).all() == [(schema.HEAD,)]


def test_the_tables_are_those_that_the_code_knows(tmp_path: Path) -> None:
    migrated = a_database(tmp_path / "migrated.db")
    migrate(migrated)

    with migrated.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    scripts = ScriptDirectory.from_config(config)

    assert scripts.get_heads() == [schema.HEAD]
    assert all(len(r.revision) == 4 and r.revision.isdecimal() for r in scripts.walk_revisions())


def test_every_constraint_has_a_name() -> None:
    unnamed = [
        (table.name, constraint)
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]

    assert unnamed == []


def test_opening_a_store_imports_no_alembic_and_no_other_dialect(tmp_path: Path) -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from notifier.store import open_store;"
            f"open_store({URL!r}, Path({str(tmp_path)!r})).close();"
            "print([m for m in ('alembic', 'sqlalchemy.dialects.postgresql', 'sqlalchemy.orm') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )

    assert said.stdout == "[]\n"


@pytest.mark.parametrize("version", ["9999", "0002", "ae1027a6acf"])
def test_a_schema_that_is_newer_or_strange_is_refused(created: Path, version: str) -> None:
    set_version(created / "notifier.db", version)

    with pytest.raises(StoreError, match=rf"schema {version}, this program knows {schema.HEAD}"):
        open_store(URL, created)


@pytest.mark.parametrize("how", [{"read_only": True}, {"create": False}])
def test_an_older_schema_is_not_touched_by_who_may_not_write(created: Path, how: dict[str, bool]) -> None:
    set_version(created / "notifier.db", "0000")

    with pytest.raises(StoreError, match=r"has schema 0000, this program needs"):
        open_store(URL, created, **how)

    assert not list(created.glob("*before-upgrade*"))


NEXT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    with op.batch_alter_table("edition") as batch:  # SQLite builds the table anew
        batch.alter_column("mode", existing_type=sa.Text(), type_=sa.String(30), existing_nullable=False)
    op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    {then}
"""


def scripts_of_tomorrow(folder: Path, then: str = "pass") -> str:
    """The migrations as they are, and one more."""
    today = Path(sql.__file__).parent / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((today / "env.py").read_text())
    for script in (today / "versions").glob("0*.py"):
        (folder / "versions" / script.name).write_text(script.read_text())
    (folder / "versions" / "0002_next.py").write_text(NEXT.format(then=then))
    return str(folder)


@pytest.fixture
def filled(created: Path) -> Path:
    store = open_store(URL, created)
    edition = an_edition()
    store.subscribers.put([a_subscriber()], edition.due)
    store.editions.plan([edition], edition.due)
    store.close()
    return created


def test_an_upgrade_keeps_a_backup_and_every_row(filled: Path) -> None:
    database = a_database(filled / "notifier.db")

    backup = upgrade(database, filled / "notifier.db", scripts=scripts_of_tomorrow(filled / "scripts"))

    assert backup.stat().st_mode & 0o777 == 0o600
    with database.read() as connection:
        assert inspect(connection).has_table("extra")
        assert connection.execute(schema.version.select()).scalar_one() == "0002"
        assert (
            len(connection.execute(schema.mention.select()).all()) == 1
        )  # child rows of the table built anew
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with a_database(backup).read() as connection:
        assert connection.execute(schema.version.select()).scalar_one() == "0001"
        assert len(connection.execute(schema.edition.select()).all()) == 1


def test_an_upgrade_that_fails_leaves_everything_as_it_was(filled: Path) -> None:
    database = a_database(filled / "notifier.db")
    before = shape(database)
    broken = scripts_of_tomorrow(filled / "broken", then="raise RuntimeError('the power went')")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="the power went"):
            upgrade(database, filled / "notifier.db", scripts=broken)

    assert shape(database) == before
    assert len(list(filled.glob("*before-upgrade*"))) == 2  # none overwrites another
    assert open_store(URL, filled).editions.list()


def test_an_upgrade_that_would_lose_what_rows_refer_to_is_undone(filled: Path) -> None:
    database = a_database(filled / "notifier.db")
    careless = scripts_of_tomorrow(filled / "careless", then='op.execute("DELETE FROM edition")')

    with pytest.raises(StoreError, match="without what they refer to"):
        upgrade(database, filled / "notifier.db", scripts=careless)

    assert open_store(URL, filled).editions.list()


def test_a_missing_database_is_created_only_where_that_was_asked(tmp_path: Path) -> None:
    for how in ({"read_only": True}, {"create": False}):
        with pytest.raises(StoreError, match="no database yet"):
            open_store(URL, tmp_path / "state", **how)

    assert not (tmp_path / "state").exists()


def test_a_file_that_was_made_but_not_filled_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "notifier.db").touch()  # a kill between the two leaves this

    with pytest.raises(StoreError, match="no database yet"):
        open_store(URL, tmp_path, read_only=True)
    assert open_store(URL, tmp_path).editions.list() == []


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    other = a_database(tmp_path / "notifier.db")
    with other.write() as connection:
        connection.exec_driver_sql("CREATE TABLE invoice (id INTEGER)")

    with pytest.raises(StoreError, match="another program"):
        open_store(URL, tmp_path)

    assert list(shape(other)) == ["invoice"]


def test_a_file_that_is_no_database_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "notifier.db").write_bytes(b"all bytes are equal" * 999)

    with pytest.raises(StoreError, match=r"notifier\.db: file is not a database.*restore the last backup"):
        open_store(URL, tmp_path)


def test_a_damaged_page_is_found_when_asked_for(filled: Path) -> None:
    path = filled / "notifier.db"
    with a_database(path).read() as connection:
        root = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'mention'"
        ).scalar()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar()
    torn = bytearray(path.read_bytes())
    assert root and size
    torn[(root - 1) * size : (root - 1) * size + 64] = b"\xff" * 64
    path.write_bytes(torn)

    with pytest.raises(StoreError, match=r"damaged.*restore the last backup"):
        sql.open_store(URL, filled, check=True)


def test_a_copy_beside_another_state_folder_is_refused_until_adopted(filled: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    (copied / "notifier.db").write_bytes((filled / "notifier.db").read_bytes())

    for read_only in (True, False):
        with pytest.raises(StoreError, match="`notifier db adopt`"):
            open_store(URL, copied, read_only=read_only)

    adopted = sql.adopt(URL, copied)
    assert open_store(URL, copied).instance_id == adopted
    assert open_store(URL, filled).instance_id != adopted


def test_the_former_owner_is_refused_after_an_adoption(filled: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{filled}/notifier.db"

    sql.adopt(url, tmp_path / "elsewhere")

    assert open_store(url, tmp_path / "elsewhere").editions.list()
    with pytest.raises(StoreError, match="belongs to another state folder"):
        open_store(url, filled)


def test_a_database_that_was_deleted_is_made_anew_in_the_same_folder(created: Path) -> None:
    before = open_store(URL, created).instance_id
    for part in created.glob("notifier.db*"):
        part.unlink()

    assert open_store(URL, created).instance_id == before


def test_only_the_owner_may_read_the_memory(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path / "deep" / "state")
    store.note("x", "y")

    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "deep" / "state").iterdir()}

    assert modes == dict.fromkeys(["notifier.db", "notifier.db-wal", "notifier.db-shm", "instance"], 0o600)
    assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700


def test_a_read_only_store_reads_what_others_write_and_writes_nothing(filled: Path) -> None:
    writer, reader = open_store(URL, filled), open_store(URL, filled, read_only=True)

    writer.note("x", "y")

    assert reader.noted("x") == "y"
    with pytest.raises(StoreError, match="may not be written"):
        reader.note("x", "z")


def test_commits_reach_the_disk_and_references_are_checked(created: Path) -> None:
    with a_database(created / "notifier.db").write() as connection:
        asked = {
            p: connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": sqlite.BUSY_MS,
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://x/y", "no store for postgresql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("notifier.db", "not a database URL"),
    ],
)
def test_a_url_that_keeps_no_memory_is_refused(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        open_store(url, tmp_path)


def test_an_old_library_is_refused_with_what_is_needed() -> None:
    with pytest.raises(StoreError, match=r"SQLite 3\.34\.1 is too old: 3\.35\.0"):
        sqlite.check_library((3, 34, 1))

    sqlite.check_library((3, 35, 0))
