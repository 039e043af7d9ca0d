-- name: load
-- Every registered prefix with its enterprise.
select prefix.key, prefix.status, prefix.folds_suffix, prefix.delegated_to,
    extract(epoch from prefix.changed_at)::bigint as changed_at, enterprise.code, enterprise.name
from prefix left join enterprise on enterprise.code = prefix.enterprise_code
order by prefix.key;

-- name: get
-- One registered prefix with its enterprise.
select prefix.key, prefix.status, prefix.folds_suffix, prefix.delegated_to,
    extract(epoch from prefix.changed_at)::bigint as changed_at, enterprise.code, enterprise.name
from prefix left join enterprise on enterprise.code = prefix.enterprise_code
where prefix.key = $1;

-- name: rules
-- What the registered ones among some prefixes allow.
select key, status, folds_suffix, delegated_to is not null as is_delegated
from prefix
where key = any($1::bytea[]);

-- name: hold_still
-- Let no prefix change until the end of this transaction; any number of writers of records may hold this at once.
lock table prefix in share mode;

-- name: hold_alone
-- Wait until no transaction writes records, and let none begin until the end of this one.
lock table prefix in share row exclusive mode;

-- name: add
-- Register a prefix.
insert into prefix (key, enterprise_code, folds_suffix, delegated_to) values ($1, $2, $3, $4);

-- name: set_status
-- Give a prefix another status.
update prefix set status = $2, changed_at = now() where key = $1;

-- name: has_records
-- Whether any record, deleted ones included, has a key after $1 and before $2.
select exists (select from record where key > $1 and key < $2);
