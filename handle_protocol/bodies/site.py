"""The answer that tells where a service is (operation 2): the encoding of HS_SITE, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from handle_protocol.bodies.digest import RequestDigest
from handle_protocol.octets import OctetReader
from handle_protocol.predefined.site import Site, decode_site


@dataclass(frozen=True, slots=True)
class SiteInfoResponse:
    """Where the service is.

    Attributes:
        site_octets: the encoded site, as it came: peers differ in what they leave at its end.
    """

    site_octets: bytes
    request_digest: RequestDigest | None = None

    @property
    def site(self) -> Site:
        """The site, decoded anew at each look. Raises MalformedMessage."""
        return decode_site(self.site_octets)


def encode_site_info(body: SiteInfoResponse) -> bytes:
    """Return the octets of a site, without the digest."""
    return body.site_octets


def decode_site_info(reader: OctetReader, digest: RequestDigest | None) -> SiteInfoResponse:
    """Read what follows the digest, to the end of the body.

    Raises:
        MalformedMessage: the octets are no site.
    """
    site_octets = reader.rest()
    decode_site(site_octets)
    return SiteInfoResponse(site_octets, digest)
