"""The ledger in the panel (台账): subjects, relations, periods, events, entries and acts, to be looked at.

Nothing of it is changed here: subjects and relations change by an act with a reason, events and
entries never.
"""

from piccolo.columns import Column
from piccolo.table import Table
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy

from admin.panel import LEDGER, ORGANISATION, Room, read_only
from ledger.tables import Act, Entry, Event, Period, Relation, Subject, SubjectPlace


def _register(
    table: type[Table], group: str, shown: list[Column], filters: list[Column], newest: Column | None = None
) -> TableConfig:
    return TableConfig(
        table,
        visible_columns=shown,
        visible_filters=filters,
        validators=read_only(),
        menu_group=group,
        order_by=None if newest is None else [OrderBy(column=newest, ascending=False)],
    )


def registers() -> Room:
    """The ledger's tables; an entry's row leads to its explanation."""
    return Room(
        tables=(
            _register(Subject, ORGANISATION, [Subject.code, Subject.name], [Subject.code, Subject.name]),
            _register(
                SubjectPlace,
                ORGANISATION,
                [
                    SubjectPlace.id,
                    SubjectPlace.subject,
                    SubjectPlace.since,
                    SubjectPlace.kind,
                    SubjectPlace.group_code,
                    SubjectPlace.unit,
                    SubjectPlace.post,
                ],
                [SubjectPlace.subject, SubjectPlace.kind, SubjectPlace.group_code, SubjectPlace.unit],
            ),
            _register(
                Relation,
                ORGANISATION,
                [
                    Relation.id,
                    Relation.subject,
                    Relation.relation,
                    Relation.answers,
                    Relation.indicator,
                    Relation.starts,
                    Relation.ends,
                ],
                [Relation.subject, Relation.relation, Relation.answers],
            ),
            _register(
                Period,
                ORGANISATION,
                [Period.code, Period.title, Period.kind, Period.starts, Period.ends, Period.state, Period.appeal_days],
                [Period.kind, Period.state],
            ),
            _register(
                Entry,
                LEDGER,
                [
                    Entry.number,
                    Entry.booked,
                    Entry.kind,
                    Entry.rule,
                    Entry.version,
                    Entry.subject,
                    Entry.nominal,
                    Entry.posted,
                    Entry.source,
                    Entry.event,
                ],
                [Entry.subject, Entry.rule, Entry.kind, Entry.source, Entry.event, Entry.booked, Entry.indicator],
                Entry.number,
            ),
            _register(
                Event,
                LEDGER,
                [
                    Event.number,
                    Event.time,
                    Event.source,
                    Event.id,
                    Event.type,
                    Event.subject,
                    Event.matter,
                    Event.booked,
                ],
                [Event.source, Event.id, Event.type, Event.subject, Event.matter, Event.time],
                Event.number,
            ),
            _register(
                Act,
                LEDGER,
                [Act.number, Act.at, Act.kind, Act.actor, Act.remark],
                [Act.kind, Act.actor, Act.at],
                Act.number,
            ),
        ),
        labels={
            "table.subject": ("单位与人员", "Units and people"),
            "table.subject_place": ("编制（按日期）", "Places (dated)"),
            "table.relation": ("责任关系", "Relations"),
            "table.period": ("考评期", "Periods"),
            "table.event": ("事件", "Events"),
            "table.entry": ("计分明细", "Entries"),
            "table.act": ("管理行为", "Acts"),
            "column.number": ("台账号", "Number"),
            "column.name": ("名称", "Name"),
            "column.subject": ("考评对象", "Subject"),
            "column.since": ("起始日期", "Since"),
            "column.kind": ("类别", "Kind"),
            "column.group_code": ("序列", "Group"),
            "column.unit": ("所在单位", "Unit"),
            "column.post": ("岗位", "Post"),
            "column.relation": ("关系", "Relation"),
            "column.answers": ("责任人", "Who answers"),
            "column.indicator": ("指标", "Indicator"),
            "column.starts": ("开始（含）", "From"),
            "column.ends": ("结束（不含）", "To"),
            "column.state": ("状态", "State"),
            "column.appeal_days": ("申诉天数（空：不受理）", "Days to appeal (empty: none)"),
            "column.source": ("来源", "Source"),
            "column.event": ("事件编号", "Event"),
            "column.event.id": ("事件编号", "Event id"),
            "column.type": ("事件类型", "Type"),
            "column.time": ("发生时间", "Time"),
            "column.recorded_at": ("登记时间", "Recorded at"),
            "column.received_at": ("收到时间", "Received at"),
            "column.matter": ("事项", "Matter"),
            "column.parties": ("责任方", "Parties"),
            "column.basis": ("依据", "Basis"),
            "column.data": ("内容", "Data"),
            "column.version": ("规则版本", "Version"),
            "column.booked": ("记账日期", "Booked"),
            "column.content_hash": ("内容校验值", "Content hash"),
            "column.period": ("考评期", "Period"),
            "column.origin_rule": ("直接规则", "Direct rule"),
            "column.origin_subject": ("直接对象", "Direct subject"),
            "column.nominal": ("名义分值", "Nominal"),
            "column.posted": ("入账分值", "Posted"),
            "column.cause_act": ("起因", "Cause"),
            "column.cause": ("起因台账号", "Cause number"),
            "column.detail": ("计算过程", "Arithmetic"),
            "column.actor": ("操作人", "By"),
            "column.remark": ("理由", "Reason"),
            "column.reason": ("理由（旧）", "Reason (old)"),
            "column.content": ("内容", "Content"),
            "choice.kind.unit": ("单位", "unit"),
            "choice.kind.person": ("人员", "person"),
            "choice.state.open": ("未关账", "open"),
            "choice.state.closed": ("已关账", "closed"),
            "choice.kind.direct": ("直接", "direct"),
            "choice.kind.period": ("考评期", "period"),
            "choice.kind.reversal": ("撤销", "reversal"),
            "choice.kind.adjustment": ("调整", "adjustment"),
            "choice.kind.retraction": ("撤销事件", "retraction"),
            "choice.kind.correction": ("更正事件", "correction"),
            "choice.kind.publication": ("发布规则", "publication"),
            "choice.kind.organisation": ("组织调整", "organisation"),
            "choice.kind.periods": ("设定考评期", "periods"),
            "choice.kind.settlement": ("结算", "settlement"),
            "choice.kind.closing": ("关账", "closing"),
            "choice.kind.reopening": ("重开", "reopening"),
            "choice.cause_act.event": ("事件", "event"),
            "choice.cause_act.retraction": ("撤销事件", "retraction"),
            "choice.cause_act.correction": ("更正事件", "correction"),
            "choice.cause_act.publication": ("发布规则", "publication"),
            "choice.cause_act.organisation": ("组织调整", "organisation"),
            "choice.cause_act.periods": ("设定考评期", "periods"),
            "choice.cause_act.settlement": ("结算", "settlement"),
            "choice.cause_act.closing": ("关账", "closing"),
            "choice.cause_act.reopening": ("重开", "reopening"),
            "choice.cause_act.appeal": ("申诉复核", "appeal"),
            "choice.cause_act.removal": ("清除文字", "removal of text"),
        },
        pages={"entry": "/audit/entries/"},
    )
