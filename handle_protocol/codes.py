"""Operation and response codes (RFC 3652 §2.2.2, and the codes that real peers added since).

Unknown codes pass through as plain numbers.
"""

from enum import IntEnum
from typing import Final


class OpCode(IntEnum):
    """What a message asks for, or answers."""

    NONE = 0
    RESOLUTION = 1
    GET_SITE_INFO = 2
    CREATE_HANDLE = 100
    DELETE_HANDLE = 101
    ADD_VALUE = 102
    REMOVE_VALUE = 103
    MODIFY_VALUE = 104
    LIST_HANDLES = 105
    CHALLENGE_ANSWER = 200
    VERIFY_CHALLENGE = 201
    HOME_PREFIX = 300
    UNHOME_PREFIX = 301
    LIST_HOMED_PREFIXES = 302
    SESSION_SETUP = 400
    SESSION_TERMINATE = 401
    SESSION_EXCHANGE_KEY = 402
    GET_NEXT_TRANSACTION_ID = 1000
    RETRIEVE_TRANSACTIONS = 1001
    DUMP_HANDLES = 1002
    BACKUP_SERVER = 1003
    PASSWORD_LOGIN = 2000
    KEY_LOGIN = 2001


class ResponseCode(IntEnum):
    """How a request ended. REQUEST (0) marks a message that is itself a request."""

    REQUEST = 0
    SUCCESS = 1
    ERROR = 2
    SERVER_TOO_BUSY = 3
    PROTOCOL_ERROR = 4
    OPERATION_NOT_SUPPORTED = 5
    RECURSION_COUNT_TOO_HIGH = 6
    SERVER_BACKUP = 7
    HANDLE_NOT_FOUND = 100
    HANDLE_ALREADY_EXISTS = 101
    INVALID_HANDLE = 102
    VALUES_NOT_FOUND = 200
    VALUE_ALREADY_EXISTS = 201
    INVALID_VALUE = 202
    OUT_OF_DATE_SITE_INFO = 300
    SERVER_NOT_RESPONSIBLE = 301
    SERVICE_REFERRAL = 302
    PREFIX_REFERRAL = 303
    INVALID_ADMIN = 400
    INSUFFICIENT_PERMISSIONS = 401
    AUTHENTICATION_NEEDED = 402
    AUTHENTICATION_FAILED = 403
    INVALID_CREDENTIAL = 404
    AUTHENTICATION_TIMEOUT = 405
    AUTHENTICATION_ERROR = 406
    ALREADY_LOGGED_IN = 407
    LOG_IN_FIRST = 408
    SESSION_TIMEOUT = 500
    SESSION_FAILED = 501
    INVALID_SESSION_KEY = 502
    NEED_RSA_KEY_FOR_SESSION_EXCHANGE = 503
    INVALID_SESSION_SETUP = 504
    SESSION_MESSAGE_REJECTED = 505
    DAILY_REQUESTS_EXCEEDED = 603
    REGISTRATIONS_EXCEEDED = 604
    PREFIXES_EXCEEDED = 605
    CREDENTIAL_NOT_VERIFIED = 3001


_WRITTEN_BEFORE_2_5: Final[dict[int, int]] = {
    ResponseCode.INVALID_VALUE: ResponseCode.VALUE_ALREADY_EXISTS,
    ResponseCode.SERVER_BACKUP: ResponseCode.PREFIX_REFERRAL,
}
_MEANT_BEFORE_2_5: Final[dict[int, int]] = {ResponseCode.PREFIX_REFERRAL: ResponseCode.SERVER_BACKUP}


def code_on_wire(code: int, version: tuple[int, int]) -> int:
    """Return the number that says `code` in a message of `version`: 2.5 renumbered two codes."""
    return code if version >= (2, 5) else _WRITTEN_BEFORE_2_5.get(code, code)


def code_meant(number: int, version: tuple[int, int]) -> int:
    """Return the code that `number` says in a message of `version`.

    Before 2.5, 201 is left as it is: it may mean INVALID_VALUE too.
    """
    return number if version >= (2, 5) else _MEANT_BEFORE_2_5.get(number, number)
