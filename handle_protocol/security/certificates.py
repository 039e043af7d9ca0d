"""For which handles a certificate (HS_CERT) lets its subject sign.

perm                    covers
everything              every handle
thisHandle              the handle
derivedPrefixes         prefix handles derived from it: 0.NA/88.300 covers 0.NA/88.300.15907
handlesUnderThisPrefix  handles of the prefix: 0.NA/88.300.15907 covers 88.300.15907/电机-1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handle_protocol.errors import InvalidValue
from handle_protocol.handle import Handle
from handle_protocol.security.limits import CERTIFICATE_PERMISSIONS_MAX


class CertificateRight(StrEnum):
    """What a permission is for. Others pass through and cover nothing."""

    EVERYTHING = "everything"
    THIS_HANDLE = "thisHandle"
    DERIVED_PREFIXES = "derivedPrefixes"
    HANDLES_UNDER_THIS_PREFIX = "handlesUnderThisPrefix"


_PREFIX_HANDLES: Final = b"0.NA/"


@dataclass(frozen=True, slots=True)
class CertificatePermission:
    """One permission of a certificate.

    Attributes:
        right: a CertificateRight, or an unknown name.
        handle: None for everything.
    """

    right: str
    handle: str | None = None

    def members(self) -> dict[str, str]:
        """Return the permission as JSON."""
        handle = {} if self.handle is None else {"handle": self.handle}
        return {**handle, "perm": str(self.right)}

    def covers(self, handle: str) -> bool:
        """Tell whether a holder may sign for `handle`.

        Raises:
            InvalidHandle: one of the names can be no handle.
        """
        if self.right == CertificateRight.EVERYTHING:
            return True
        if self.handle is None:
            return False
        ours, theirs = _folded(self.handle), _folded(handle)
        match self.right:
            case CertificateRight.THIS_HANDLE:
                return ours == theirs
            case CertificateRight.DERIVED_PREFIXES:
                return ours.startswith(_PREFIX_HANDLES) and theirs.startswith(ours + b".")
            case CertificateRight.HANDLES_UNDER_THIS_PREFIX:
                return _PREFIX_HANDLES + theirs.partition(b"/")[0] == ours
            case _:
                return False


def grants(permissions: Sequence[CertificatePermission], wanted: CertificatePermission) -> bool:
    """Tell whether a certificate with `permissions` may pass on `wanted`: nobody gives more than they have.

    What is derived from a prefix belongs with all that depends on it to whoever may sign for derived prefixes.

    Raises:
        InvalidHandle: one of the names can be no handle.
    """
    return any(_grants(permission, wanted) for permission in permissions)


def _grants(permission: CertificatePermission, wanted: CertificatePermission) -> bool:
    if permission.right == CertificateRight.EVERYTHING:
        return True
    if permission.handle is None or wanted.handle is None:
        return False
    if permission.right == wanted.right and _folded(permission.handle) == _folded(wanted.handle):
        return True
    is_all_of_it = permission.right == CertificateRight.DERIVED_PREFIXES
    return (is_all_of_it or wanted.right == CertificateRight.THIS_HANDLE) and permission.covers(wanted.handle)


def read_permissions(json: object) -> tuple[CertificatePermission, ...]:
    """Read the permissions of a certificate.

    Raises:
        InvalidValue: they are no list of permissions, or too many.
    """
    if not isinstance(json, list) or len(json) > CERTIFICATE_PERMISSIONS_MAX:
        raise InvalidValue("perms", f"at most {CERTIFICATE_PERMISSIONS_MAX} permissions")
    return tuple(_permission(item) for item in json)


def _permission(item: object) -> CertificatePermission:
    match item:
        case {"perm": str(name), "handle": str(handle)}:
            return CertificatePermission(name, handle)
        case {"perm": str(name)}:
            return CertificatePermission(name)
        case _:
            raise InvalidValue("perms", "a permission and its handle")


def _folded(handle: str) -> bytes:
    return Handle.parse(handle).key()
