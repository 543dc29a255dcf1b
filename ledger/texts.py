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
    # --- explanations and acts ---
    "ledger.no_act": ("没有编号为 {number} 的管理行为", "there is no act {number}"),
}

register(TEXTS)
