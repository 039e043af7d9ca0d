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

-- name: set_mark
-- Remember where the transaction stands.
savepoint mark;

-- name: return_to_mark
-- Undo what the transaction did since then, and forget the mark: what follows is the transaction's own again.
rollback to savepoint mark;
release savepoint mark;

-- name: forget_mark
-- Keep what the transaction did since then.
release savepoint mark;

-- name: settings
-- The values that this session runs with.
select name, setting from pg_settings where name = any($1::text[]);
