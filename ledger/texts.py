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
}

register(TEXTS)
