"""What a client would like to read: media types and languages with their weights (RFC 9110 §12.5, RFC 4647)."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

LANGUAGE_DEFAULT: Final[Language] = "zh"
"""For those who do not say: the node serves China."""

_RANGES_MAX: Final = 50
"""Ours: browsers name about eight."""

_PAGE_TYPES: Final = frozenset({"text/html", "application/xhtml+xml", "text/*", "*/*"})
_LANGUAGES: Final[dict[str, Language]] = {"zh": "zh", "en": "en", "*": LANGUAGE_DEFAULT}


def preferred(header: str) -> list[tuple[str, float]]:
    """Return the ranges of an Accept or Accept-Language header with their weights, best first, without refused ones."""
    ranges = [_range(part) for part in header.split(",", _RANGES_MAX)[:_RANGES_MAX]]
    return sorted((each for each in ranges if each[0] and each[1] > 0), key=lambda each: -each[1])


def language_of(accept_language: str) -> Language:
    """Return the language to write in."""
    for tag, _ in preferred(accept_language):
        language = _LANGUAGES.get(tag.partition("-")[0])
        if language is not None:
            return language
    return LANGUAGE_DEFAULT


def wants_json(accept: str) -> bool:
    """Tell whether JSON is wanted at least as much as a page; a wildcard is no wish."""
    weights = dict(reversed(preferred(accept)))
    json_weight = max(weights.get("application/json", 0.0), weights.get("application/*", 0.0))
    return json_weight > 0 and json_weight >= max(weights.get("text/html", 0.0), weights.get("text/*", 0.0))


def wants_data(accept: str) -> bool:
    """Tell whether something else than a page is wanted most: content negotiation in the sense of 10320/loc."""
    ranges = preferred(accept)
    return bool(ranges) and not any(name in _PAGE_TYPES for name, weight in ranges if weight == ranges[0][1])


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (each.strip().lower() for each in part.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, min(max(float(weight), 0.0), 1.0)
    except ValueError:
        return name, 0.0
