-- name: write
-- Store decided changes (sorted by key) where the living record still has the expected revision, remember what was
-- there before, and tell the followers; one row for each change.
-- It inserts first and then locks in key order, as every writer does; what has another revision then is left alone.
-- A row that another transaction inserted meanwhile is not seen at all: it conflicts.
with given as (
    select key, spelling, value_list, expected_revision, identity
    from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[])
        as given (key, spelling, value_list, expected_revision, identity)
),
inserted as (
    insert into record (key, spelling, value_list)
    select key, spelling, value_list from given where expected_revision = 0 and value_list is not null
    on conflict (key) do nothing
    returning key, revision
),
locked as (
    select key, spelling, value_list, revision
    from record
    where key = any (array(select key from given where key not in (select key from inserted)))
    order by key
    for update
),
fitting as (
    select given.key, given.value_list, given.identity,
        locked.spelling as former_spelling, locked.value_list as former_value_list,
        case
            when given.value_list is null then null
            when locked.value_list is null then given.spelling
            else locked.spelling
        end as spelling
    from locked join given using (key)
    where given.expected_revision = case when locked.value_list is null then 0 else locked.revision end
        and (given.value_list is not null or locked.value_list is not null)
),
updated as (
    update record
    set spelling = fitting.spelling, value_list = fitting.value_list,
        revision = record.revision + 1, changed_at = now()
    from fitting
    where record.key = any (array(select key from fitting)) and record.key = fitting.key
    returning record.key, record.revision, fitting.identity, fitting.former_spelling, fitting.former_value_list
),
written as (
    select key, revision, given.identity, null::bytea as former_spelling, null::bytea as former_value_list
    from inserted join given using (key)
    union all
    select key, revision, identity, former_spelling, former_value_list from updated
),
remembered as (
    insert into history (key, revision, identity, spelling, value_list)
    select key, revision, identity, former_spelling, former_value_list from written
),
announced as (
    insert into change (record_keys, has_prefixes)
    select array_agg(key), false from written having count(*) > 0
    returning pg_notify('idnode_change', '')
)
select given.key, written.revision as new_revision, locked.revision as found_revision, (select count(*) from announced)
from given left join written using (key) left join locked using (key);

-- name: entries
-- One page of what the identities $1 changed from $2 (Unix seconds) on, in the order of time: after entry ($3, $4), $5 at most.
select number, at, extract(epoch from at)::float8 as at_seconds, key, revision, spelling, value_list
from history
where identity = any ($1::bytea[]) and at >= to_timestamp($2::float8) and (at, number) > ($3::timestamptz, $4::bigint)
order by at, number
limit $5;

-- name: touched
-- The same page without what was there before.
select number, at, key
from history
where identity = any ($1::bytea[]) and at >= to_timestamp($2::float8) and (at, number) > ($3::timestamptz, $4::bigint)
order by at, number
limit $5;

-- name: spans
-- Of those records among keys $1 that one of the identities $2 first changed, from $3 on, with one of the entries $4:
-- what was there before that, what is there now, and whether every revision since is theirs, or was undone by $5.
with span as (
    select key, min(number) as first_number, min(revision) as first_revision
    from history
    where key = any ($1::bytea[]) and identity = any ($2::bytea[]) and at >= to_timestamp($3::float8)
    group by key
)
select span.key, former.spelling as former_spelling, former.value_list as former_value_list,
    record.spelling, record.value_list, record.revision,
    record.revision - span.first_revision + 1 = (
        select count(*)
        from history as theirs
        where theirs.key = span.key and theirs.number >= span.first_number
            and (theirs.identity = any ($2::bytea[]) or theirs.identity = $5)
    ) as is_by_one
from span
join history as former on former.key = span.key and former.number = span.first_number
join record on record.key = span.key
where span.first_number = any ($4::bigint[])
order by span.key;
