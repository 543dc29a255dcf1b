"""The engine's texts, in both languages. Keys are ``noun.what``."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "charge.nobody": ("没有人是“{subject}”的“{relation}”，不计分", "nobody is “{relation}” for “{subject}”: no charge"),
    "charge.field_missing": (
        "计分所用的字段“{field}”缺失，规则不触发",
        "the field “{field}” is missing: the rule does not fire",
    ),
    "charge.no_row": (
        "字段“{field}”的值“{value}”在计分表中没有对应的行，规则不触发",
        "the value “{value}” of “{field}” has no row in the table: the rule does not fire",
    ),
    "event.no_version": (
        "没有一个规则版本覆盖事件时间 {time}",
        "no version of the rules covers the event's time {time}",
    ),
    "event.unknown_type": (
        "当时生效的规则没有事件类型“{type}”；已有：{known}",
        "the rules of that time declare no event type “{type}”; they declare: {known}",
    ),
    "event.unknown_subject": ("没有代码为“{subject}”的单位或人员", "no unit or person has the code “{subject}”"),
    "event.unknown": ("没有来源“{source}”、编号“{id}”的事件", "no event “{id}” from “{source}” was recorded"),
    "event.not_standing": (
        "来源“{source}”、编号“{id}”的事件不在有效状态，不能更正",
        "the event “{id}” from “{source}” does not stand and cannot be corrected",
    ),
    "event.id_taken": (
        "来源“{source}”已有编号“{id}”的事件，内容不同；更正请用更正接口，或换新的编号",
        "“{source}” already reported an event “{id}” with other content; correct it, or use another id",
    ),
    "event.no_longer_fits": (
        "已入账的事件（来源“{source}”，编号“{id}”）不再符合规则",
        "the recorded event “{id}” from “{source}” would no longer fit the rules",
    ),
    "limit.changed": (
        "封顶“{limit}”的窗口或方向与已发布的版本不同；请另立代码",
        "the limit “{limit}” changes the window or sign of a published one; give it a new code",
    ),
    "organisation.unknown": ("没有代码为“{code}”的单位或人员", "no unit or person has the code “{code}”"),
    "organisation.mixed_group": (
        "序列“{group}”中既有单位又有人员（“{one}”与“{other}”）；一个序列只能有一种",
        "the group “{group}” holds units and people (“{one}” and “{other}”); a group holds one kind",
    ),
    "period.closed": (
        "{day} 所在的考评期已关账，规则不接受迟到事件",
        "{day} lies in a closed period, and the rules refuse late events",
    ),
    "period.no_open": (
        "{day} 所在的考评期已关账，其后没有同类的未关账考评期可以入账",
        "{day} lies in a closed period, and no later open period of its kind can take the entry",
    ),
    "period.unknown": ("没有代码为“{period}”的考评期", "no period has the code “{period}”"),
    "period.not_open": ("考评期“{period}”不是未关账状态", "the period “{period}” is not open"),
    "period.not_closed": ("考评期“{period}”尚未关账", "the period “{period}” is not closed"),
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
    "condition.long": (
        "条件最多 {most} 个字符，这里有 {length} 个。",
        "A condition has at most {most} characters; this one has {length}.",
    ),
    "condition.deep": (
        "括号与 not 最多嵌套 {most} 层。",
        "Parentheses and not may be nested at most {most} levels deep.",
    ),
    "condition.alternatives": (
        "条件展开后超过 {most} 种情形。请拆成几条规则，或把“或”的选项写成 in [..]。",
        "Written out, the condition has more than {most} alternatives. Split the rule, or write choices as in [..].",
    ),
    "condition.together": (
        "同时要求的比较超过 {most} 个。请拆成几条规则，或把选项写成 in [..]、not in [..]。",
        "More than {most} comparisons must hold at once. Split the rule, or write in [..] or not in [..].",
    ),
    "condition.empty": (
        "条件是空的。没有条件时请不要写 when。",
        "The condition is empty. Leave “when” out where there is none.",
    ),
    "condition.full-width": ("这里写的是 {wrong}，应写 {right}。", "This is {wrong}; write {right}."),
    "condition.character": ("条件里不能有字符 {wrong}。", "A condition cannot contain the character {wrong}."),
    "condition.number": (
        "数字后面不能紧接 {wrong}。数字写作 3 或 98.6，不写单位、指数。",
        "A number cannot be followed directly by {wrong}. Write 3 or 98.6, with no unit and no exponent.",
    ),
    "condition.escape": (
        "反斜杠后面只能是 \\、' 或 \"。",
        "A backslash may only stand before \\, ' or \".",
    ),
    "condition.unclosed": (
        "这里开始的文字没有用 {expected} 结束。",
        "The text that begins here is not closed with {expected}.",
    ),
    "condition.expected": ("这里应是 {expected}，而不是 {found}。", "{expected} was expected here, not {found}."),
    "condition.rest": (
        "条件到这里应已结束，或接 and、or、比较符；这里是 {found}。",
        "The condition should end here, or go on with and, or, or a comparison; this is {found}.",
    ),
    "condition.end": ("条件的末尾", "the end of the condition"),
    "condition.arithmetic": (
        "条件里不能做加减乘除；负号只能写在数字前面。",
        "A condition does no arithmetic; a minus may only stand before a number.",
    ),
    "condition.value-expected": (
        '这里应是字段名、数字、引号里的文字、True、False 或日期 date("2026-03-01")，而不是 {found}。',
        'A field, a number, a text in quotes, True, False or a date date("2026-03-01") was expected here, not {found}.',
    ),
    "condition.name-expected": (
        "括号里应是一个字段名，而不是 {found}。",
        "A field's name was expected here, not {found}.",
    ),
    "condition.function": (
        "没有 {name} 这个函数；可用的有 has、any、all、date。",
        "There is no function {name}; there are has, any, all and date.",
    ),
    "condition.date": (
        '日期写作 date("2026-03-01")，且须是日历上有的一天；这里是 {found}。',
        'A date is written date("2026-03-01") and is a day of the calendar; this is {found}.',
    ),
    "condition.list-alone": (
        "列表只能写在 in 或 not in 的右边。",
        "A list may only stand to the right of in or not in.",
    ),
    "condition.list-expected": (
        'in 的右边应是列表，如 ["province", "city"]。',
        'A list was expected to the right of in, such as ["province", "city"].',
    ),
    "condition.list-compared": ("与列表比较要用 in 或 not in。", "A list is compared with in or not in."),
    "condition.compound": (
        "比较的两边只能是字段或值；判断之间请用 and、or、not 连接。",
        "Only fields and values can be compared; join tests with and, or, not.",
    ),
    "condition.value-alone": (
        "这里应是一个判断，而不是单独的一个值。",
        "A test was expected here, not a value by itself.",
    ),
    "condition.not-boolean": (
        "{name} 不是“是/否”字段，不能单独作条件，请与一个值比较。",
        "{name} is no yes-or-no field and cannot stand alone; compare it with a value.",
    ),
    "condition.unknown-name": (
        "没有 {name} 这个字段。可用的有：{known}。",
        "There is no field {name}. There are: {known}.",
    ),
    "condition.charged": (
        "{name} 只能用在系数（factors）的条件里。",
        "{name} can only be used in the condition of a factor.",
    ),
    "condition.conflict": (
        "{name} 在有关的事件类型里类型不同（{types}），不能使用。",
        "{name} has different types in the event types concerned ({types}) and cannot be used.",
    ),
    "condition.not-choices": (
        "{function} 只用于多选字段，{name} 不是多选字段；单选请用 in。",
        "{function} is for fields with several choices, and {name} is none; use in.",
    ),
    "condition.choices-compared": (
        "{name} 是多选字段，请用 any({name}, [..])、all({name}, [..]) 或 has({name})。",
        "{name} holds several choices; use any({name}, [..]), all({name}, [..]) or has({name}).",
    ),
    "condition.text-order": (
        "文字和选项没有大小之分，只能用 ==、!=、in、not in。",
        "Texts and choices have no order; only ==, !=, in and not in can be used.",
    ),
    "condition.boolean-order": (
        "“是/否”字段只能单独使用，或用 ==、!= 与 True、False 比较。",
        "A yes-or-no field stands alone or is compared with True or False by == or !=.",
    ),
    "condition.types": ("{left}不能与{right}比较。", "Cannot compare {left} with {right}."),
    "condition.choice": (
        "{word} 不是 {name} 的选项。可选：{choices}。",
        "{word} is not one of the choices of {name}. There are: {choices}.",
    ),
    "condition.field.identifier": (
        "{name} 不能作字段名：字段名由文字、数字、下划线组成，不以数字开头。",
        "{name} cannot name a field: a name has letters, digits and underscores and begins with no digit.",
    ),
    "condition.field.nfc": (
        "字段名 {name} 不是规范的 Unicode 写法（NFC），请重新输入。",
        "The field's name {name} is not in Unicode's normal form NFC; type it again.",
    ),
    "condition.field.reserved": (
        "{name} 是条件里已有含义的词，不能作字段名。",
        "{name} already has a meaning in conditions and cannot name a field.",
    ),
    "condition.type.text": ("文字", "a text"),
    "condition.type.choice": ("选项", "a choice"),
    "condition.type.choices": ("多选", "a list of choices"),
    "condition.type.integer": ("整数", "an integer"),
    "condition.type.decimal": ("数字", "a number"),
    "condition.type.boolean": ("是/否", "a yes-or-no value"),
    "condition.type.date": ("日期", "a date"),
    "condition.type.datetime": ("时间", "a date with time"),
    "condition.kind.unit": ("单位", "unit"),
    "condition.kind.person": ("个人", "person"),
    "condition.name.subject": ("被考评对象", "subject"),
    "condition.name.subject_kind": ("被考评对象类别", "kind of subject"),
    "condition.name.subject_group": ("被考评对象序列", "group of the subject"),
    "condition.name.post": ("被考评对象岗位", "post of the subject"),
    "condition.name.source": ("事件来源", "source of the event"),
    "condition.name.matter": ("事项", "matter"),
    "condition.name.year": ("年份", "year"),
    "condition.name.month": ("月份", "month"),
    "condition.name.charged": ("被计分对象", "subject charged"),
    "condition.name.charged_kind": ("被计分对象类别", "kind of the subject charged"),
    "condition.name.charged_group": ("被计分对象序列", "group of the subject charged"),
    "condition.name.charged_post": ("被计分对象岗位", "post of the subject charged"),
    "condition.say.and": (" 且 ", " and "),
    "condition.say.or": (" 或 ", " or "),
    "condition.say.not": ("并非{inner}", "not {inner}"),
    "condition.say.group": ("（{inner}）", "({inner})"),
    "condition.say.equal": ("{left} 为 {right}", "{left} is {right}"),
    "condition.say.unequal": ("{left} 不为 {right}", "{left} is not {right}"),
    "condition.say.below": ("{left} 低于 {right}", "{left} is below {right}"),
    "condition.say.at-most": ("{left} 不高于 {right}", "{left} is at most {right}"),
    "condition.say.above": ("{left} 高于 {right}", "{left} is above {right}"),
    "condition.say.at-least": ("{left} 不低于 {right}", "{left} is at least {right}"),
    "condition.say.before": ("{left} 早于 {right}", "{left} is before {right}"),
    "condition.say.until": ("{left} 不晚于 {right}", "{left} is not after {right}"),
    "condition.say.after": ("{left} 晚于 {right}", "{left} is after {right}"),
    "condition.say.since": ("{left} 不早于 {right}", "{left} is not before {right}"),
    "condition.say.fewer": ("{left} 少于 {right}", "{left} is less than {right}"),
    "condition.say.no-more": ("{left} 不超过 {right}", "{left} is at most {right}"),
    "condition.say.more": ("{left} 超过 {right}", "{left} is more than {right}"),
    "condition.say.no-fewer": ("{left} 不少于 {right}", "{left} is at least {right}"),
    "condition.say.in": ("{left} 为{right}之一", "{left} is one of {right}"),
    "condition.say.not-in": ("{left} 不在{right}之中", "{left} is none of {right}"),
    "condition.say.any": ("{left} 含有{right}中的任一项", "{left} includes any of {right}"),
    "condition.say.all": ("{left} 含有{right}中的每一项", "{left} includes all of {right}"),
    "condition.say.has": ("{left} 已填写", "{left} is given"),
    "condition.say.has-not": ("{left} 未填写", "{left} is not given"),
    "condition.say.true": ("是", "yes"),
    "condition.say.false": ("否", "no"),
    "condition.say.text": ("“{text}”", "“{text}”"),
    "condition.say.days": ("{number} 天", "{number} days"),
    "condition.say.item": ("{item}", "{item}"),
    "condition.say.between": ("、", ", "),
    "condition.say.list": ("（{items}）", "({items})"),
    "differentiation.few": (
        "数据不足：有数据的只有 {count} 个，少于 {least} 个，不作比较、不计分",
        "insufficient data: only {count} have a value, fewer than {least}; nothing is compared and nobody is charged",
    ),
    "differentiation.mean_zero": (
        "数据不足：平均值为 0，没有变异系数，不计分",
        "insufficient data: the mean is 0 and has no coefficient of variation; nobody is charged",
    ),
    "differentiation.no_owner": (
        "指标“{indicator}”没有考评部门，不计分",
        "the indicator “{indicator}” has no owner; nobody is charged",
    ),
    "differentiation.unknown_owner": (
        "指标“{indicator}”的考评部门“{owner}”不是考评对象，不计分",
        "the owner “{owner}” of the indicator “{indicator}” is no subject; nobody is charged",
    ),
    "progress.no_previous": (
        "没有更早的同类考评期，不计算进步",
        "there is no earlier period of the same kind; no progress is reckoned",
    ),
    # --- why a charge did not travel ---
    "travel.of": ("本规则的连带来源不含 {rule}", "this rule does not take up charges of {rule}"),
    "travel.sign.bonus": ("本规则只连带加分", "this rule takes up bonuses only"),
    "travel.sign.deduction": ("本规则只连带减分", "this rule takes up deductions only"),
    "travel.when": ("本规则的条件不成立", "the condition of this rule does not hold"),
    "travel.superseded": (
        "同一事项已由另一条计分，这一条不计，也不连带",
        "another charge counts for the matter: this one does not, and does not travel",
    ),
    "travel.zero": ("分值为 0，不连带", "the amount is 0: it does not travel"),
    "travel.nobody": ("没有人是“{subject}”的“{relation}”", "nobody is “{relation}” for “{subject}”"),
    "travel.excluded": ("事件已排除“{relation}”的连带", "the event leaves “{relation}” out"),
    "travel.depth": (
        "“{subject}”的“{relation}”超出连带层数 {depth}",
        "“{relation}” of “{subject}” is beyond the depth of {depth}",
    ),
    "travel.better": (
        "是“{relation}”的人已按分值更大的路径承担",
        "who is “{relation}” answers by a path that brings more",
    ),
}

register(TEXTS)
