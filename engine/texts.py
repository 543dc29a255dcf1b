"""The engine's texts, in both languages. Keys are ``noun.what``."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "scalar.nothing": ("空值", "nothing"),
    "scalar.mapping": ("一组键值", "a mapping"),
    "scalar.list": ("一个列表", "a list"),
    "scalar.code": (
        "应为代码（1–64 个字母（任何文字）、数字、“.”、“_”或“-”），实际为“{given}”",
        "expected a code (1–64 letters of any script, digits, “.”, “_” or “-”), got “{given}”",
    ),
    "scalar.identity": (
        "应为 1–200 个字符的事件编号，不含“/”和控制字符，实际为“{given}”",
        "expected an event id of 1–200 characters without “/” and controls, got “{given}”",
    ),
    "scalar.text": ("应为文本，实际为“{given}”", "expected text, got “{given}”"),
    "scalar.text_length": (
        "应为 {shortest}–{longest} 个字符的文本，实际有 {length} 个字符",
        "expected text of {shortest}–{longest} characters, got {length}",
    ),
    "scalar.text_characters": (
        "文本中含有无法保存的字符（空字符或不成对的代理码位）",
        "the text holds a character that cannot be stored (NUL, or half of a surrogate pair)",
    ),
    "scalar.number": ("应为数字，实际为“{given}”", "expected a number, got “{given}”"),
    "scalar.number_size": (
        "应为绝对值小于 10 的 15 次方的数字，实际为“{given}”",
        "expected a number smaller than 10^15, got “{given}”",
    ),
    "scalar.number_digits": (
        "应为至多 {digits} 位有效数字、{places} 位小数的数字，实际为“{given}”",
        "expected a number of at most {digits} significant digits and {places} decimal places, got “{given}”",
    ),
    "scalar.integer": ("应为整数，实际为“{given}”", "expected a whole number, got “{given}”"),
    "scalar.boolean": ("应为 true 或 false，实际为“{given}”", "expected true or false, got “{given}”"),
    "scalar.day": (
        "应为日期（如 2026-03-01），实际为“{given}”",
        "expected a date (such as 2026-03-01), got “{given}”",
    ),
    "scalar.instant": (
        "应为带时区偏移的时间（如 2026-03-01T09:00:00+08:00），实际为“{given}”",
        "expected a time with its offset (such as 2026-03-01T09:00:00+08:00), got “{given}”",
    ),
    "scalar.instant_fraction": (
        "时间至多精确到微秒（6 位小数），实际为“{given}”",
        "expected a time to the microsecond (6 decimal places), got “{given}”",
    ),
    "report.mapping": ("应为一个事件（一组键值），实际为“{given}”", "expected an event (a mapping), got “{given}”"),
    "report.key": ("事件没有“{name}”一项；可用的有：{keys}", "an event has no “{name}”; it has: {keys}"),
    "report.type": ("当时生效的规则没有事件类型“{type}”", "the rules of that time declare no event type “{type}”"),
    "report.field": (
        "事件类型“{type}”没有字段“{field}”；可报送的字段有：{fields}",
        "the event type “{type}” declares no field “{field}”; those that may be sent: {fields}",
    ),
    "report.derived": ("字段“{field}”由系统推算，不得报送", "the field “{field}” is derived and must not be sent"),
    "report.required": ("必填字段“{field}”缺失", "the required field “{field}” is missing"),
    "report.choice": ("应为下列选项之一：{choices}；实际为“{given}”", "expected one of: {choices}; got “{given}”"),
    "report.choices": (
        "应为选项的列表，选项有：{choices}；实际为“{given}”",
        "expected a list of choices among: {choices}; got “{given}”",
    ),
    "report.parties": (
        "应为“关系：对象代码”的一组键值，实际为“{given}”",
        "expected a mapping of relations to subject codes, got “{given}”",
    ),
    "report.party": (
        "应为对象代码或对象代码的列表，实际为“{given}”",
        "expected a subject code or a list of subject codes, got “{given}”",
    ),
    "report.data": (
        "应为“字段：值”的一组键值，实际为“{given}”",
        "expected a mapping of fields to values, got “{given}”",
    ),
}

register(TEXTS)
