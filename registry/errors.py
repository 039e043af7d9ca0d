"""What the register refuses, and what makes a database unfit to be one.

    Refusal                    a change that the rules forbid; carries fields and a response code
    ├── PrefixUnknown          the prefix is not registered here
    ├── PrefixTooDeep          it has more segments than any real one
    ├── PrefixTaken            it is registered already, with other particulars
    ├── PrefixHoldsRecords     records below it were stored under another case rule
    ├── PrefixDelegated        the enterprise's own node answers for it
    ├── TransitionForbidden    its status does not allow the step
    ├── EnterpriseTaken        another enterprise has the code or the name
    └── RecordExists           a record to be made is there already
    DatabaseUnfit              Postgres answers, but must not or cannot be used: an operator has to mend it
    ├── AccessRefused          wrong password, missing database, missing right, unusable address
    ├── SettingUnsafe          acknowledged changes could be lost
    ├── SchemaMissing          it was never migrated
    ├── MigrationAltered       an applied migration is not the one that stands here
    └── SchemaNewer            a newer idnode has migrated the database

An outage is none of these: it is said with the built-in ConnectionError or TimeoutError.
"""

from __future__ import annotations

from typing import ClassVar

from handle_protocol.codes import ResponseCode
from handle_protocol.handle import Prefix


class Refusal(Exception):
    """A change that the rules forbid. Nothing of its transaction was stored."""

    response_code: ClassVar[ResponseCode] = ResponseCode.ERROR


class PrefixUnknown(Refusal):
    """The prefix is not registered here."""

    response_code = ResponseCode.SERVER_NOT_RESPONSIBLE

    def __init__(self, prefix: Prefix) -> None:
        super().__init__(f"prefix {prefix} is not registered")
        self.prefix = prefix


class PrefixTooDeep(Refusal):
    """The prefix has more segments than the register looks at."""

    response_code = ResponseCode.INVALID_HANDLE

    def __init__(self, prefix: Prefix, segments_max: int) -> None:
        super().__init__(f"prefix {prefix} has more than {segments_max} segments")
        self.prefix = prefix
        self.segments_max = segments_max


class RecordExists(Refusal):
    """A record that was to be made is there already, perhaps as a tombstone."""

    response_code = ResponseCode.HANDLE_ALREADY_EXISTS


class PrefixTaken(Refusal):
    """The prefix is registered already, and `field` (enterprise, delegated_to, folds_suffix) differs."""

    response_code = ResponseCode.HANDLE_ALREADY_EXISTS

    def __init__(self, prefix: Prefix, field: str) -> None:
        super().__init__(f"prefix {prefix} is registered already with another {field}")
        self.prefix = prefix
        self.field = field


class PrefixHoldsRecords(Refusal):
    """Records below the prefix were stored under another case rule and would not be found under the new one."""

    response_code = ResponseCode.HANDLE_ALREADY_EXISTS

    def __init__(self, prefix: Prefix) -> None:
        super().__init__(f"records below {prefix} were stored under another rule for upper and lower case")
        self.prefix = prefix


class PrefixDelegated(Refusal):
    """The enterprise's own node answers for the prefix; only an operator changes that."""

    response_code = ResponseCode.SERVER_NOT_RESPONSIBLE

    def __init__(self, prefix: Prefix) -> None:
        super().__init__(f"prefix {prefix} is delegated to the enterprise's own node")
        self.prefix = prefix


class TransitionForbidden(Refusal):
    """The status of the prefix does not allow the step (see registry.lifecycle)."""

    def __init__(self, prefix: Prefix, status: str, step: str) -> None:
        super().__init__(f"prefix {prefix} is {status}: no {step}")
        self.prefix = prefix
        self.status = status
        self.step = step


class EnterpriseTaken(Refusal):
    """Another enterprise has the same `field` (code or name)."""

    response_code = ResponseCode.VALUE_ALREADY_EXISTS

    def __init__(self, field: str) -> None:
        super().__init__(f"another enterprise has this {field}")
        self.field = field


class DatabaseUnfit(Exception):
    """Postgres answers, but must not or cannot be used until an operator has mended it."""


class AccessRefused(DatabaseUnfit):
    """The address, name or password is wrong, or a right is missing; the text is the driver's."""


class SettingUnsafe(DatabaseUnfit):
    """With this server setting acknowledged changes could be lost."""

    def __init__(self, setting: str, value: str) -> None:
        super().__init__(f"the server runs with {setting} = {value}: acknowledged changes could be lost")
        self.setting = setting
        self.value = value


class SchemaMissing(DatabaseUnfit):
    """A table is not there: the database was never migrated."""

    def __init__(self) -> None:
        super().__init__("the database has no schema yet")


class MigrationAltered(DatabaseUnfit):
    """A migration was changed after it had been applied."""

    def __init__(self, migration: str) -> None:
        super().__init__(f"migration {migration} is not the one that was applied to this database")
        self.migration = migration


class SchemaNewer(DatabaseUnfit):
    """The database has a migration that this program does not know."""

    def __init__(self, migration: str) -> None:
        super().__init__(f"the database was migrated by a newer idnode: {migration} is not known here")
        self.migration = migration
