"""Another name of `handle_protocol.bodies.site`, until nobody imports this one."""

from handle_protocol.bodies.site import SiteInfoResponse

__all__ = ["SiteInfoResponse"]
