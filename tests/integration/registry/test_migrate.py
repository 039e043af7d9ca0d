"""How the schema comes about, on each real Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import resources

import asyncpg
import pytest

from registry.database import Database
from registry.errors import MigrationAltered, SchemaNewer
from registry.migrate import Migration, known_migrations, migrate

NAMES = [migration.name for migration in known_migrations()]

CATALOG = """
select 'column', format('%s.%s %s %s not null %s default %s storage %s identity %s: %s', relname, attname, attnum,
    format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attstorage, attidentity,
    col_description(pg_class.oid, attnum))
from pg_class join pg_attribute on attrelid = pg_class.oid left join pg_attrdef on adrelid = attrelid and adnum = attnum
where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
union all
select 'constraint', format('%s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
from pg_constraint where connamespace = 'public'::regnamespace
union all
select 'index', indexdef from pg_indexes where schemaname = 'public'
union all
select 'relation', format('%s %s %s', relname, relkind, reloptions)
from pg_class where relnamespace = 'public'::regnamespace
order by 1, 2
"""


async def test_migrating_twice_does_it_once(database_url: str) -> None:
    async with Database.open(database_url) as database:
        assert await migrate(database) == NAMES
        assert await migrate(database) == []


async def test_many_may_migrate_at_the_same_time(database_url: str) -> None:
    async with Database.open(database_url) as one, Database.open(database_url) as other:
        applied = await asyncio.gather(migrate(one), migrate(other), migrate(one), migrate(other))
    assert sorted(name for names in applied for name in names) == NAMES


async def test_an_altered_migration_is_refused(database: Database) -> None:
    first, *others = known_migrations()
    altered = [replace(first, script=first.script + "-- 改"), *others]

    with pytest.raises(MigrationAltered) as refused:
        await migrate(database, altered)
    assert refused.value.migration == first.name


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    known = known_migrations()
    await migrate(database, [*known, Migration("9999_later", "create table later ()")])

    with pytest.raises(SchemaNewer) as refused:
        await migrate(database)
    assert refused.value.migration == "9999_later"


async def test_a_migration_that_fails_leaves_nothing(database: Database) -> None:
    steps = [
        *known_migrations(),
        Migration("9998_good", "create table good ()"),
        Migration("9999_bad", "create table bad (); select 1 / 0"),
    ]

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(database, steps)
    rows = await database.fetch("select relname from pg_class where relname in ('good', 'bad')")
    assert [row["relname"] for row in rows] == ["good"]


async def test_a_migration_does_not_queue_behind_a_table_in_use(database: Database) -> None:
    step = Migration("9999_column", "alter table record add column later text")
    async with database.transaction() as transaction:
        await transaction.fetch("select from record")
        with pytest.raises(TimeoutError):
            await migrate(database, [*known_migrations(), step])


async def test_the_migrations_make_the_schema_as_it_is_written_down(database_url: str) -> None:
    schema = (resources.files("registry") / "schema.sql").read_text(encoding="utf-8")
    async with Database.open(database_url) as database:
        await migrate(database)
        migrated = [tuple(row) for row in await database.fetch(CATALOG)]
        await database.fetch("drop schema public cascade")
        await database.fetch("create schema public")
        async with database.transaction() as transaction:
            await transaction.execute(schema)
        assert [tuple(row) for row in await database.fetch(CATALOG)] == migrated
    assert len(migrated) > 30
