"""What cryptography refuses to work with, besides octets of the wrong shape (MalformedMessage).

ProtocolError
├── UnsupportedKey        a key of a kind that is not known, or needs what is not installed
├── UnsupportedAlgorithm  an algorithm that is not known, or does not fit the key
├── OutOfBounds           a size or a cost that a peer chose and we do not pay
└── WrongPassphrase       a private key file that this passphrase does not open
"""

from handle_protocol.errors import ProtocolError


class UnsupportedKey(ProtocolError):
    """A key that cannot be used here. The text says why, and what to install if that helps."""


class UnsupportedAlgorithm(ProtocolError):
    """An algorithm that is not known, or one that does not fit the key."""


class OutOfBounds(ProtocolError):
    """A size or a cost outside its bounds; nothing was spent on it.

    Attributes:
        what: of what, with its unit.
        number: what was asked for.
    """

    def __init__(self, what: str, number: int, bounds: range) -> None:
        super().__init__(f"expected {bounds.start} to {bounds.stop - 1} {what}, not {number}")
        self.what = what
        self.number = number


class WrongPassphrase(ProtocolError):
    """A private key file that needs a passphrase, or another one. The text is in English and Chinese."""


def check_bounds(what: str, number: int, bounds: range) -> None:
    """Check that `number` is one of `bounds`.

    Raises:
        OutOfBounds: it is not.
    """
    if number not in bounds:
        raise OutOfBounds(what, number, bounds)
