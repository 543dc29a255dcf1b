"""The texts of the rulebook's room, in both languages. Keys are ``noun.what``."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "tree.yaml": ("不是可读的 YAML：{problem}", "cannot be read as YAML: {problem}"),
    "tree.json": (
        "不是可读的 JSON（第 {column} 列）：{problem}",
        "cannot be read as JSON (column {column}): {problem}",
    ),
    "tree.large": ("文档超过 {largest} 个字符", "the document is larger than {largest} characters"),
    "tree.encoding": ("文档不是 UTF-8 编码（第 {place} 字节起）", "the document is not UTF-8 (from byte {place})"),
    "tree.deep": ("嵌套超过 {deepest} 层", "nested deeper than {deepest} levels"),
    "tree.alias": (
        "引用“*{alias}”没有可用的锚点，或引用了自身",
        "the alias “*{alias}” has no anchor before it, or holds itself",
    ),
    "tree.expanded": ("引用展开后超过 {most} 个节点", "the aliases expand to more than {most} nodes"),
    "tree.tag": ("不接受标签“{tag}”", "the tag “{tag}” is not accepted"),
    "tree.merge": ("不接受合并键“<<”，请写全", "merge keys (“<<”) are not accepted, write it out"),
    "tree.key": ("键应为文本", "a key must be text"),
    "tree.twice": ("键“{name}”重复", "the key “{name}” stands twice"),
    "tree.number": ("“{number}”不是可用的数字", "“{number}” is no number that can be used"),
    "tree.surrogate": (
        "文本中含有不成对的代理码位",
        "a text holds half of a surrogate pair",
    ),
    "draft.option": ("应为 {options} 之一，写的是 {given}", "expected one of {options}, not {given}"),
    "draft.mapping": ("应为键值对照，写的是 {given}", "expected a mapping, not {given}"),
    "draft.list": ("应为列表，写的是 {given}", "expected a list, not {given}"),
    "draft.pair": ("应为一对值 [界限, 分值]，写的是 {given}", "expected a pair [bound, points], not {given}"),
    "draft.key": ("没有“{key}”这个键，可用的有：{keys}", "there is no key “{key}”; known keys: {keys}"),
    "draft.unknown": ("没有代码为“{code}”的条目，已有：{known}", "nothing has the code “{code}”; known: {known}"),
    "draft.none": ("（尚无）", "(none yet)"),
    "draft.twice": ("“{code}”出现了两次", "“{code}” stands twice"),
    "draft.stale": (
        "草稿已被他人修改，请重新载入后再提交",
        "the draft has been changed since; load it again before you send it",
    ),
}

register(TEXTS)
