-- name: ping
-- Whether somebody is there.
select 1;

-- name: begin
-- Each statement sees what was committed before it, whatever the server's default is.
begin isolation level read committed;

-- name: commit
-- Make it durable; answered once it is on disk.
commit;

-- name: rollback
-- Leave everything as it was.
rollback;

-- name: settings
-- The values that this session runs with.
select name, setting from pg_settings where name = any($1::text[]);
