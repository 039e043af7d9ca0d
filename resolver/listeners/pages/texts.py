"""Every sentence on the pages, in Chinese and English."""

from __future__ import annotations

from typing import Final, NamedTuple

from resolver.translation.negotiation import Language
from resolver.translation.proxy import Notice


class Text(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the sentence in `language`."""
        return self.zh if language == "zh" else self.en


class NoticeText(NamedTuple):
    """What a notice says: what happened, and what to do now."""

    title: Text
    solve: Text


LANGUAGE_TAGS: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}

BRAND: Final = Text("工业互联网标识解析 · 二级节点", "Industrial Internet Identifier Resolution · Secondary Node")
SKIP: Final = Text("跳到正文", "Skip to content")
FOOTER: Final = Text(
    "本页由标识解析二级节点生成，内容由标识注册企业负责。",
    "Shown by a secondary node; what it says is the responsibility of the enterprise that registered the identifier.",
)

START_TITLE: Final = Text("标识查询", "Look up an identifier")
START_TEXT: Final = Text(
    "输入或扫描产品上的标识。标识、链接、hdl: 写法、VAA 编码、全角字符都可以识别。",
    "Type or scan the identifier on a product. Plain identifiers, links, hdl: forms and VAA codes are understood.",
)
START_API: Final = Text("程序请访问 {path}，返回 JSON。", "Programs use {path}, which answers in JSON.")
FORM_LABEL: Final = Text("标识", "Identifier")
FORM_SUBMIT: Final = Text("查询", "Look up")
FORM_NOREDIRECT: Final = Text("显示标识记录，不跳转", "Show the record instead of following its link")

RECORD_SUMMARY: Final = Text("共 {count} 条公开数据", "Public values: {count}")
RECORD_CAPTION: Final = Text("标识数据", "Values")
RECORD_INDEX: Final = Text("索引", "Index")
RECORD_TYPE: Final = Text("类型", "Type")
RECORD_DATA: Final = Text("内容", "Data")
RECORD_TIME: Final = Text("更新时间", "Changed")
RECORD_OPEN: Final = Text("打开产品链接", "Open the link")
RECORD_JSON: Final = Text("查看 JSON 数据", "See this as JSON")

ELSEWHERE_SERVER: Final = Text("服务地址：{address}", "Server: {address}")

NOTICES: Final = {
    Notice.NOT_FOUND: NoticeText(
        Text("未找到该标识", "Not found"),
        Text(
            "请核对标识是否完整、字母大小写是否正确；如标签无误，请联系产品的生产企业。",
            "Check that the identifier is complete and its letters are in the right case, or ask its manufacturer.",
        ),
    ),
    Notice.DELETED: NoticeText(
        Text("该标识已被删除", "Deleted"),
        Text("该标识曾经存在，现已删除；请联系产品的生产企业。", "It was there once; ask its manufacturer."),
    ),
    Notice.NO_VALUES: NoticeText(
        Text("该标识没有所查询的公开数据", "No such values"),
        Text("请去掉 type 或 index 条件后再查询。", "Ask again without the type or index."),
    ),
    Notice.NOT_RESPONSIBLE: NoticeText(
        Text("本节点不负责该前缀", "Not served here"),
        Text(
            "请核对标识前缀，或通过国家顶级节点、递归节点查询。",
            "Check the prefix, or ask the national node or a recursive resolver.",
        ),
    ),
    Notice.SUSPENDED: NoticeText(
        Text("该企业前缀已暂停解析", "Suspended"),
        Text("请联系注册该前缀的企业。", "Ask the enterprise that holds this prefix."),
    ),
    Notice.INACTIVE: NoticeText(
        Text("该前缀的标识已停用", "Out of use"),
        Text("请联系注册该前缀的企业。", "Ask the enterprise that holds this prefix."),
    ),
    Notice.NOT_PUBLIC: NoticeText(
        Text("该数据不公开", "Not public"),
        Text("请向企业申请访问权限。", "Ask the enterprise for access."),
    ),
    Notice.ELSEWHERE: NoticeText(
        Text("该标识由企业节点解析", "Served by the enterprise's own node"),
        Text("企业节点没有网页服务，请用标识解析客户端查询。", "That node has no web door; use a Handle client."),
    ),
    Notice.BUSY: NoticeText(
        Text("系统繁忙", "Busy"),
        Text("请稍后刷新本页。", "Try again in a few seconds."),
    ),
    Notice.NO_HANDLE: NoticeText(
        Text("无法识别为标识", "Not an identifier"),
        Text(
            "标识由前缀、斜杠和后缀组成，例如 88.118.8/JXDY2106023。",
            "An identifier is a prefix, a slash and a suffix, such as 88.118.8/JXDY2106023.",
        ),
    ),
    Notice.WRONG_PARAMETERS: NoticeText(
        Text("查询参数有误", "Wrong parameters"),
        Text("index 应为正整数，参数应为 UTF-8。", "An index is a positive number; parameters are UTF-8."),
    ),
}
