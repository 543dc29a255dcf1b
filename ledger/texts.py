"""The ledger's texts, in both languages. Keys are ``noun.what``."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "demonstration.not_empty": (
        "数据库不是空的，不能填入演示数据",
        "the database is not empty; a demonstration is not filled in",
    ),
    "act.reason_needed": (
        "这一变更追溯到过去，涉及 {events} 个已入账事件；请写明理由",
        "this reaches back to {events} recorded events; give a reason",
    ),
    "act.reason_missing": ("请写明理由", "give a reason"),
    "ledger.no_entry": ("没有编号为 {number} 的明细", "there is no entry {number}"),
    "snapshot.unknown": ("考评期“{period}”没有第 {number} 号快照", "the period “{period}” has no snapshot {number}"),
    "rule.always": ("每次发生都适用", "applies every time"),
    # appeals (申诉), their attachments, removals
    "act.unknown": ("台账中没有第 {number} 号管理行为", "there is no act number {number}"),
    "appeal.unknown": ("没有第 {number} 号申诉", "there is no appeal number {number}"),
    "appeal.not_yours": (
        "只有明细的考评对象本人（单位）可以申诉，或者由绩效办代为提出",
        "an entry is appealed by its own subject, or by the office on that subject's behalf",
    ),
    "appeal.no_period": (
        "记账日期 {day} 不在任何已设定的考评期内，没有申诉期，不能申诉",
        "the booking date {day} lies in no declared period; there is no window of appeals",
    ),
    "appeal.none_in_period": (
        "考评期“{period}”不受理申诉",
        "no appeals are taken in the period “{period}”",
    ),
    "appeal.over": (
        "申诉期已过：这条明细可以申诉到 {until}（含当日）为止",
        "the window of appeals is over: this entry could be appealed until {until}, that day included",
    ),
    "appeal.open_already": (
        "这条明细已有第 {number} 号申诉尚未复核，不能重复提出",
        "appeal number {number} on this entry is still open; a second one is not taken",
    ),
    "appeal.not_open": (
        "第 {number} 号申诉的状态是“{state}”，这一步已不能再做",
        "appeal number {number} is {state}; this step can no longer be taken",
    ),
    "appeal.state.lodged": ("已提出", "lodged"),
    "appeal.state.answered": ("已答复", "answered"),
    "appeal.state.upheld": ("成立", "upheld"),
    "appeal.state.partly": ("部分成立", "partly upheld"),
    "appeal.state.rejected": ("不成立", "rejected"),
    "appeal.state.withdrawn": ("已撤回", "withdrawn"),
    "appeal.office_answers": ("申诉由绩效办答复", "the office answers appeals"),
    "appeal.appellant_withdraws": (
        "只有申诉人，或代为提出申诉的人，可以撤回申诉",
        "an appeal is withdrawn by its appellant, or by who lodged it",
    ),
    "appeal.own.no_reviewer": ("申诉由审批人复核", "a person with the role approver decides appeals"),
    "appeal.own.lodger": (
        "这件申诉是您提出的，不能由您答复或复核",
        "you lodged this appeal; somebody else answers and decides it",
    ),
    "appeal.own.answerer": ("这件申诉是您答复的，不能再由您复核", "you answered this appeal; somebody else decides it"),
    "appeal.own.appellant": (
        "您就是这件申诉的申诉人，不能由您答复或复核",
        "you are the appellant; somebody else answers and decides it",
    ),
    "appeal.own.path": (
        "您在这条明细的责任路径上，不能由您复核",
        "you stand on this entry's path of liability; somebody else decides it",
    ),
    "appeal.own.earlier": (
        "这条明细的前一件申诉是您复核的，应由他人复核",
        "you decided an earlier appeal on this entry; somebody else decides this one",
    ),
    "appeal.own.cause": (
        "这条明细由您的操作入账，不能由您复核",
        "an act of yours posted this entry; somebody else decides it",
    ),
    "appeal.rejected_acts": (
        "申诉不成立，就不应撤回或更正事件",
        "an appeal that is rejected retracts and corrects nothing",
    ),
    "appeal.no_acts": (
        "申诉成立或部分成立，应至少撤回或更正一个事件；分数不能直接改写",
        "an appeal that is upheld retracts or corrects at least one event; no amount is written by hand",
    ),
    "appeal.left.closed": (
        "考评期“{period}”已关账：需要时请重新打开并再次结算，名次才会重排",
        "the period “{period}” is closed: reopen it and settle it again where its ranks should follow",
    ),
    "appeal.left.settle": (
        "考评期“{period}”此前已结算：请再次结算，使期末项目跟随本次复核",
        "the period “{period}” was settled before: settle it again, so that what is charged for it as a whole follows",
    ),
    "redress.list": (
        "应为列表，每项撤回或更正一个事件，最多 {most} 项",
        "expected a list of at most {most}, each of which retracts or corrects an event",
    ),
    "redress.kind": (
        '应为 {{"retract": {{source, id}}}} 或 {{"correct": {{source, id, event}}}}',
        'expected {{"retract": {{source, id}}}} or {{"correct": {{source, id, event}}}}',
    ),
    "redress.twice": ("事件 {source} / {id} 出现了两次", "the event {source} / {id} is named twice"),
    "redress.recorded_at": (
        "更正沿用原事件的登记时间，这里不必写",
        "a correction keeps when the event reached us; leave it out here",
    ),
    "redress.not_named": (
        "事件 {source} / {id} 与这条明细无关：只能处理明细本身的事件，或其说明中提到的事件",
        "the event {source} / {id} does not concern this entry: only its own event, or one that its explanation names",
    ),
    "event.unknown_here": ("没有事件 {source} / {id}", "there is no event {source} / {id}"),
    "attachment.many": ("附件最多 {most} 个", "at most {most} attachments"),
    "attachment.name": ("附件的文件名不合适", "the attachment's file name does not do"),
    "attachment.empty": ("附件“{name}”是空的", "the attachment “{name}” is empty"),
    "attachment.large": ("附件“{name}”超过 {most} MB", "the attachment “{name}” is larger than {most} MB"),
    "attachment.kind": (
        "附件“{name}”的内容不是 PDF、图片、办公文档或文本",
        "the attachment “{name}” is neither PDF, image, office document nor text by its content",
    ),
    "attachment.encoding": ("附件内容应为 base64", "expected the attachment's content in base64"),
    "attachment.unknown": ("这件申诉没有这个附件", "this appeal has no such attachment"),
    "remark.removed": ("已依规清除（第 {number} 号）", "removed by rule (no. {number})"),
    "removal.what": (
        "应为 remark（文字）或附件的校验值",
        "expected remark (the text) or the hash of an attachment",
    ),
    "removal.nothing": (
        "第 {number} 号管理行为没有这样的文字或附件",
        "act number {number} has no such text or attachment",
    ),
    "removal.inside": (
        "第 {number} 号管理行为的理由写在链内（早期版本），不能清除",
        "the reason of act number {number} stands in the chain itself, as in early releases; it cannot be removed",
    ),
    # --- explanations and acts ---
    "ledger.no_act": ("没有编号为 {number} 的管理行为", "there is no act {number}"),
    # verification
    "record.record": ("记录", "record"),
    "record.event": ("事件", "event"),
    "record.entry": ("明细", "entry"),
    "record.act": ("管理行为", "act"),
    "record.chain": ("链", "chain"),
    "record.remark": ("链外文字", "remark"),
    "record.attachment": ("附件", "attachment"),
    "record.appeal": ("申诉", "appeal"),
    "record.rulebook_version": ("规则版本", "rulebook version"),
    "record.snapshot": ("关账快照", "snapshot"),
    "record.subject_place": ("考评对象", "subject"),
    "record.relation": ("关系", "relation"),
    "record.period": ("考评期", "period"),
    "record.ledger_head": ("链头", "head"),
    "record.present_event": ("现行账（事件）", "present (events)"),
    "record.present_sheet": ("现行账（计分）", "present (charges)"),
    "record.present_taking": ("现行账（封顶占用）", "present (takings of limits)"),
    "record.present_claim": ("现行账（同一事项）", "present (claims in matters)"),
    "record.present_room": ("现行账（封顶余额）", "present (rooms of limits)"),
    "record.present_recurrence": ("现行账（重复）", "present (repetitions)"),
    "difference.missing": ("第 {number} 号记录缺失", "record {number} is missing"),
    "difference.twice": (
        "第 {number} 号{record}与另一条记录同号",
        "{record} {number} has the number of another record",
    ),
    "difference.beyond": (
        "第 {number} 号{record}在链外：链到第 {expected} 号为止",
        "{record} {number} lies outside the chain, which ends at {expected}",
    ),
    "difference.hash": (
        "第 {number} 号{record}与链不符：记载的摘要为 {there}，按内容与前一条重新计算应为 {expected}",
        "{record} {number} does not fit the chain: it bears the hash {there}; computed anew: {expected}",
    ),
    "difference.head": (
        "链头的摘要为 {there}，最后一条（第 {number} 号）的摘要为 {expected}",
        "the head has the hash {there}; the last record ({number}) has {expected}",
    ),
    "difference.cut": (
        "链比封印短：现有 {there} 条，封印时有 {expected} 条；末尾的记录被删去了",
        "the chain is shorter than it was sealed: {there} records now, {expected} then; its tail was cut off",
    ),
    "difference.seal": (
        "与封印不符：第 {number} 号的摘要现为 {there}，封印时为 {expected}；此处或之前的记录被改动过",
        "not as it was sealed: record {number} has the hash {there}, then {expected}; it or one before it was changed",
    ),
    "difference.remark": (
        "第 {number} 号记录的文字“{where}”被改动：其摘要为 {there}，链上为 {expected}",
        "the text of record {number}, “{where}”, was changed: it hashes to {there}, the chain has {expected}",
    ),
    "difference.remark_missing": (
        "第 {number} 号记录的文字缺失（{where}），而没有清除它的记录",
        "the text of record {number} is missing ({where}), and no act removed it",
    ),
    "difference.attachment": (
        "附件“{where}”不是当时所附的：摘要是 {there}，应为 {expected}",
        "the attachment “{where}” is not the one that was handed in: its hash is {there}, it should be {expected}",
    ),
    "difference.attachment_missing": (
        "附件 {where} 不在了，也没有清除它的管理行为",
        "the attachment {where} is gone, and no act removed it",
    ),
    "difference.appeal": (
        "申诉台账与管理行为不符：现为 {there}，应为 {expected}",
        "the register of appeals does not say what the acts say: {there}, it should be {expected}",
    ),
    "difference.removal": (
        "第 {number} 号记录的文字标为由第 {there} 号清除，而该号不是清除文字的行为，或文字仍在",
        "the text of record {number} is said to be removed by {there}, which is no removal, or the text is still there",
    ),
    "difference.version_missing": (
        "第 {where} 版规则缺失（由第 {number} 号发布）",
        "rulebook version {where}, published by act {number}, is missing",
    ),
    "difference.version_extra": (
        "第 {where} 版规则没有发布它的记录",
        "rulebook version {where} was published by no act",
    ),
    "difference.document": (
        "第 {where} 版规则的文本被改动：其摘要为 {there}，发布时（第 {number} 号）为 {expected}",
        "the document of rulebook version {where} was changed: {there}; published by act {number} as {expected}",
    ),
    "difference.version_row": (
        "第 {where} 版规则记为 {there}，按发布记录（第 {number} 号）应为 {expected}",
        "rulebook version {where} says {there}; by the act that published it ({number}): {expected}",
    ),
    "difference.unreadable": (
        "第 {number} 号{record}的内容读不出来：{there}",
        "the content of {record} {number} cannot be read: {there}",
    ),
    "difference.snapshot": (
        "快照“{where}”被改动：其摘要为 {there}，关账时（第 {number} 号）为 {expected}",
        "the snapshot “{where}” was changed: it hashes to {there}; closed by act {number} with {expected}",
    ),
    "difference.snapshot_row": (
        "快照“{where}”记为 {there}，按关账记录（第 {number} 号）应为 {expected}",
        "the snapshot “{where}” says {there}; by the closing ({number}): {expected}",
    ),
    "difference.snapshot_missing": (
        "快照“{where}”缺失（由第 {number} 号关账）",
        "the snapshot “{where}” of the closing {number} is missing",
    ),
    "difference.snapshot_extra": (
        "有一个快照说由第 {number} 号关账，而没有这一关账记录",
        "a snapshot is said to be of the closing {number}, which there is not",
    ),
    "difference.place": (
        "考评对象“{where}”的归属为 {there}，按组织变动记录应为 {expected}",
        "the subject “{where}” is {there}; by the organisation's acts: {expected}",
    ),
    "difference.relation": (
        "关系“{where}”为 {there}，按组织变动记录应为 {expected}",
        "the relation “{where}” is {there}; by the organisation's acts: {expected}",
    ),
    "difference.period": (
        "考评期“{where}”为 {there}，按记录应为 {expected}",
        "the period “{where}” is {there}; by the acts: {expected}",
    ),
    "difference.head_row": (
        "链头的 {where} 为 {there}，按记录应为 {expected}",
        "{where} of the head is {there}; by the acts: {expected}",
    ),
    "difference.content": (
        "第 {number} 号事件的内容摘要为 {there}，按内容计算应为 {expected}",
        "event {number} has the content hash {there}; computed from its content: {expected}",
    ),
    "difference.version": (
        "第 {number} 号事件记为按第 {there} 版规则受理，当时应为第 {expected} 版",
        "event {number} says version {there}; ruled by version {expected} when it was recorded",
    ),
    "difference.booked": (
        "第 {number} 号{record}记在 {there}，应记在 {expected}",
        "{record} {number} is booked on {there}; it should be on {expected}",
    ),
    "difference.unfit": (
        "第 {number} 号事件不符合现行规则的事件类型",
        "event {number} does not fit its type by the version that rules it",
    ),
    "difference.rule": (
        "第 {number} 号明细的规则“{where}”不存在",
        "entry {number} is of the rule “{where}”, which there is not",
    ),
    "difference.indicator": (
        "第 {number} 号明细（{where}）计入指标 {there}，应为 {expected}",
        "entry {number} ({where}) is on the indicator {there}; it should be on {expected}",
    ),
    "difference.settlement": (
        "第 {number} 号结算（{where}）记为 {there}，按当时的账目应为 {expected}",
        "the settlement {number} ({where}) says {there}; by the ledger as it was: {expected}",
    ),
    "difference.figures": (
        "第 {number} 号关账（{where}）的得分为 {there}，按当时的账目应为 {expected}",
        "the closing {number} ({where}) has {there}; by the ledger as it was: {expected}",
    ),
    "difference.sum": (
        "第 {number} 号明细所属的计分（{where}）入账合计 {there}，重新计算应为 {expected}",
        "entry {number}: what is posted for {where} adds up to {there}; evaluated anew: {expected}",
    ),
    "difference.sum_missing": (
        "第 {number} 号事件应有的明细缺失（{where}）：入账合计 {there}，重新计算应为 {expected}",
        "an entry of event {number} is missing ({where}): posted {there}; evaluated anew: {expected}",
    ),
    "difference.present": (
        "{record}“{where}”与账不符：现为 {there}，应为 {expected}",
        "{record}: “{where}” differs from the ledger: it is {there}; it should be {expected}",
    ),
    "difference.present_extra": ("{record}多出一行：{where}", "{record}: a row too many: {where}"),
    "difference.present_missing": ("{record}缺少一行：{where}", "{record}: a row is missing: {where}"),
    "difference.present_event": (
        "{record}：第 {number} 号事件“{where}”与记录不符",
        "{record}: event {number} “{where}” is not as it was recorded",
    ),
    "difference.not_standing": (
        "{record}：第 {number} 号事件“{where}”没有撤回，却不在其中",
        "{record}: event {number} “{where}” was not withdrawn and is not there",
    ),
    "difference.standing": (
        "{record}：第 {number} 号事件已撤回，却仍在其中",
        "{record}: event {number} was withdrawn and is still there",
    ),
    "difference.grows": (
        "{record}：第 {number} 号事件是否为未完成事项，记为 {there}，应为 {expected}",
        "{record}: whether event {number} is an unfinished task is {there}; it should be {expected}",
    ),
    "difference.room": (
        "{record}“{where}”已用 {there}，应为 {expected}",
        "{record}: of “{where}” {there} is used; it should be {expected}",
    ),
    "verification.stage.chain": ("核对链", "the chain"),
    "verification.stage.beside": ("核对链外内容", "what the chain binds beside itself"),
    "verification.stage.scoring": ("重新计分", "scoring anew"),
    "verification.stage.posting": ("重新入账", "posting anew"),
    "verification.stage.present": ("核对现行账", "the present"),
    "verification.holds": (
        "核验通过：{length} 条记录（事件 {events}、明细 {entries}、管理行为 {acts}），{seconds} 秒；链头 {head}",
        "verified: {length} records ({events} events, {entries} entries, {acts} acts) in {seconds} s; head {head}",
    ),
    "verification.differs": ("核验不通过：{said}", "not verified: {said}"),
    "verification.no_seal": (
        "没有用封印比对：末尾被整段删去，只有与事先另存的封印比对才能发现",
        "compared with no seal: a tail that was cut off is found only against a seal that was noted elsewhere",
    ),
    "seal.unreadable": ("封印文件读不出来：{reason}", "the seal cannot be read: {reason}"),
    "seal.expected": (
        '应为封印，每行一个：{{"length": …, "head": "…"}}',
        'expected seals, one a line: {{"length": …, "head": "…"}}',
    ),
    "seal.kept": ("已存入 {file}：长度 {length}，链头 {head}", "kept in {file}: length {length}, head {head}"),
    "export.unwritable": ("写不了文件：{reason}", "the file cannot be written: {reason}"),
    "export.done": ("已导出 {count} 条记录", "{count} records exported"),
    "export.nothing": ("请说明导出什么，如 --records 文件", "say what to export, such as --records FILE"),
    "rebuilding.done": (
        "现行账已重建：有效事件 {standing} 个",
        "the present was made anew: {standing} events stand",
    ),
    # --- simulation ---
    "simulation.from": (
        "起始时间应在本期之内：不早于 {first}，早于 {end}",
        "expected a time within the period: not before {first}, and before {end}",
    ),
    "simulation.no_period": ("没有考评期 {period}", "there is no period {period}"),
    "simulation.no_draft": ("还没有草稿", "there is no draft yet"),
    "simulation.version_named": ("应为版本号或 draft", "expected the number of a version, or draft"),
    "simulation.no_version": ("没有第 {number} 版规则", "there is no version {number}"),
    "simulation.busy": (
        "另一个试算正在进行（{name} 于 {at} 发起），请待其结束或取消后再试",
        "another simulation is running (started by {name} at {at}); try again when it has ended or was cancelled",
    ),
    "simulation.unknown": ("没有这个试算：{id}", "there is no such simulation: {id}"),
    "simulation.stage.waiting": ("准备", "preparing"),
    "simulation.stage.scoring": ("重新计分", "scoring anew"),
    "simulation.stage.posting": ("重新入账", "posting anew"),
    "simulation.stage.settling": ("重新结算", "settling anew"),
    "simulation.draft": ("草稿", "the draft"),
    "simulation.version": ("第 {number} 版", "version {number}"),
    "simulation.nothing": (
        "按{version}试算{period}（{events} 个事件）：没有任何变化。",
        "{period} by {version} ({events} events): nothing would change.",
    ),
    "simulation.summary": (
        "按{version}试算{period}（{events} 个事件）：{winners} 个对象得分上升，{losers} 个下降；"
        "{ranks} 个名次变化，{tiers} 个档次变化；明细新增 {added} 条、取消 {removed} 条、变动 {changed} 条。",
        "{period} by {version} ({events} events): {winners} subjects would gain, {losers} lose; {ranks} ranks and "
        "{tiers} tiers would change; {added} entries added, {removed} removed, {changed} changed.",
    ),
    "simulation.unfit": (
        "{count} 个事件不符合该规则的事件类型，视为不存在。",
        "{count} events do not fit the event types of this rulebook and count as not there.",
    ),
    "simulation.closed": (
        "本期已关闭，第 {snapshot} 号快照不变；这里比较的是按现行规则重新计算的结果。",
        "The period is closed and snapshot {snapshot} stays; what is compared is a fresh computation by the published "
        "rules.",
    ),
    "simulation.apart": (
        "两边都重新结算了本期；{count} 个对象的基准与页面现示得分或名次不同（尚未结算，或结算、关闭后又有变化）。",
        "The period is settled anew on both sides; for {count} subjects the figures before are not those now shown "
        "(not settled yet, or changed since it was settled or closed).",
    ),
    "simulation.failed": (
        "试算没有完成（内部错误，已记入日志），请重试。",
        "The simulation did not finish (an internal error, written to the log). Try again.",
    ),
    "simulation.lost": (
        "试算没有完成（服务中断），请重试。",
        "The simulation did not finish (the service was interrupted). Try again.",
    ),
}

register(TEXTS)
