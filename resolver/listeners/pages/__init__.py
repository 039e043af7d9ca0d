"""The pages that people see: one small family, in Chinese and English, without scripts.

Whatever comes from a record or a visitor is text; it becomes a link only as a web or mail address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import quote

import msgspec

from handle_protocol.json_data import data_to_json
from handle_protocol.predefined.site import Site
from handle_protocol.value import HandleValue
from resolver.listeners.pages import texts
from resolver.listeners.pages.texts import Text
from resolver.translation.negotiation import Language
from resolver.translation.proxy import ShowNotice, ShowRecord
from resolver.translation.urls import own_path, redirect_target

_FOLDER: Final = Path(__file__).parent


def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))


_FRAME: Final = _template("frame.html")
_FORM: Final = _template("form.html")
_RECORD: Final = _template("record.html")

_STYLE: Final = _FRAME.template.partition("<style>")[2].partition("</style>")[0]
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self' http: https:"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every page is sent with. Forms may end anywhere on the web, as a look-up ends in a redirect."""

_MAIL_ADDRESS: Final = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+")
_NOTHING: Final = "—"


def start_page(language: Language) -> str:
    """Return the page that asks for an identifier."""
    path = "<code>/api/handles/88.118.8/JXDY2106023</code>"
    content = (
        f"<h1>{_say(texts.START_TITLE, language)}</h1>\n<p>{_say(texts.START_TEXT, language)}</p>\n"
        f"{_form(language)}"
        f'<p class="soft">{_say(texts.START_API, language).format(path=path)}</p>'
    )
    return _page(language, texts.START_TITLE.in_language(language), content)


def record_page(record: ShowRecord, language: Language) -> str:
    """Return the page that shows the values of a handle."""
    spelling = record.handle.spelling
    content = _RECORD.substitute(
        handle=_text(spelling),
        summary=_say(texts.RECORD_SUMMARY, language).format(count=len(record.values)),
        open=_open_button(record.values, language),
        caption=_say(texts.RECORD_CAPTION, language),
        index=_say(texts.RECORD_INDEX, language),
        type=_say(texts.RECORD_TYPE, language),
        data=_say(texts.RECORD_DATA, language),
        time=_say(texts.RECORD_TIME, language),
        rows="\n".join(map(_row, record.values)),
        json_path=escape(f"/api/handles{own_path(record.handle)}"),
        json=_say(texts.RECORD_JSON, language),
    )
    return _page(language, spelling, content)


def notice_page(shown: ShowNotice, language: Language) -> str:
    """Return the page that says why there is nothing to show, and what to do."""
    title, solve = texts.NOTICES[shown.notice]
    servers = "" if shown.site is None else _servers(shown.site, language)
    message = f"<p>{_text(shown.message)}</p>\n" if shown.message else ""
    content = (
        f"<h1>{_say(title, language)}</h1>\n<p><code>{_text(shown.handle)}</code></p>\n"
        f"{message}<p>{_say(solve, language)}</p>\n{servers}{_form(language, shown.handle)}"
    )
    return _page(language, title.in_language(language), content)


def redirect_page(url: str) -> str:
    """Return what is shown where a redirect is not followed; the reference's words."""
    shown = escape(url)
    return f'<html><head><title>Handle Redirect</title></head>\n<body><a href="{shown}">{shown}</a></body></html>'


def _page(language: Language, title: str, content: str) -> str:
    return _FRAME.substitute(
        lang=texts.LANGUAGE_TAGS[language],
        title=escape(title),
        skip=_say(texts.SKIP, language),
        brand=_say(texts.BRAND, language),
        footer=_say(texts.FOOTER, language),
        content=content,
    )


def _form(language: Language, text: str = "") -> str:
    return _FORM.substitute(
        label=_say(texts.FORM_LABEL, language),
        submit=_say(texts.FORM_SUBMIT, language),
        noredirect=_say(texts.FORM_NOREDIRECT, language),
        text=escape(text),
    )


def _open_button(values: Sequence[HandleValue], language: Language) -> str:
    urls = (redirect_target(value.data.decode(errors="replace")) for value in values if value.has_type("URL."))
    url = next(filter(None, urls), None)
    return (
        "" if url is None else f'<p><a class="button" href="{escape(url)}">{_say(texts.RECORD_OPEN, language)}</a></p>'
    )


def _row(value: HandleValue) -> str:
    return (
        f'<tr><td class="index">{value.index}</td><th scope="row">{_text(value.value_type)}</th>'
        f'<td>{_data(value)}</td><td class="time">{_time(value.modified_at)}</td></tr>'
    )


def _data(value: HandleValue) -> str:
    data = data_to_json(value)
    shown = data["value"]
    if not isinstance(shown, str) or data["format"] != "string":
        return f"<pre>{_text(msgspec.json.format(msgspec.json.encode(shown)).decode())}</pre>"
    target = redirect_target(shown)
    if target is None and _MAIL_ADDRESS.fullmatch(shown):
        target = f"mailto:{quote(shown, safe='@')}"
    return _text(shown) if target is None else f'<a href="{escape(target)}">{_text(shown)}</a>'


def _time(unix_seconds: int) -> str:
    if not unix_seconds:
        return _NOTHING
    moment = datetime.fromtimestamp(unix_seconds, UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%Y-%m-%d %H:%M:%S}Z</time>'


def _servers(site: Site, language: Language) -> str:
    lines = (_say(texts.ELSEWHERE_SERVER, language).format(address=server.address) for server in site.servers)
    return "".join(f"<p>{line}</p>\n" for line in lines)


def _say(text: Text, language: Language) -> str:
    return escape(text.in_language(language), quote=False)


def _text(text: str) -> str:
    """Show text of others: escaped, and so that its writing direction stays its own."""
    return f"<bdi>{escape(text)}</bdi>"
