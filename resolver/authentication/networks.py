"""From where somebody speaks: the network of an address, which is what one attacker has cheaply."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

IPV6_NETWORK_BITS: Final = 56
"""What providers give one customer (RFC 6177 §2)."""

_IPV6_HOST_BITS: Final = 128 - IPV6_NETWORK_BITS


def network_of(address: str) -> str:
    """Return the /24 of an IPv4 address, the /56 of an IPv6 address; of an IPv4 address mapped into IPv6 its /24.

    What is no address (a peer on a unix socket has none) is its own network.
    """
    if ":" not in address:
        return address.rpartition(".")[0]
    try:
        long = IPv6Address(address)
    except ValueError:
        return address
    if long.ipv4_mapped is not None:
        return network_of(str(long.ipv4_mapped))
    return f"{int(long) >> _IPV6_HOST_BITS:x}:"
