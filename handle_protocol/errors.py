"""What can be wrong with octets or names, as one tree.

ProtocolError
├── MalformedMessage     octets that are no message: what was expected, and where
├── UnsupportedVersion   a message of another protocol generation
├── InvalidHandle        a name that can be no handle
└── InvalidValue         JSON that describes no value: which field, and what was expected
"""


class ProtocolError(ValueError):
    """Input that the Handle protocol does not allow. The text says what was expected."""


class MalformedMessage(ProtocolError):
    """Octets that do not have the announced shape.

    Attributes:
        expected: what should have stood there.
        offset: octets from the start of the region that was read.
    """

    def __init__(self, expected: str, offset: int) -> None:
        super().__init__(f"expected {expected} at octet {offset}")
        self.expected = expected
        self.offset = offset


class UnsupportedVersion(ProtocolError):
    """A message of a protocol generation that this codec does not speak."""


class InvalidHandle(ProtocolError):
    """A name that is empty, too long or not UTF-8."""


class InvalidValue(ProtocolError):
    """JSON that does not describe a handle value or record.

    Attributes:
        field: where it stands, such as `values[2].data.value.index`.
        expected: what should have stood there.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
