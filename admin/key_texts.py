"""The texts of keys (接口密钥), in both languages."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "key.name_taken": (
        "名称“{name}”已有密钥；请另取名称",
        "there is a key named “{name}” already; choose another name",
    ),
    "key.unknown": ("没有名为“{name}”的密钥", "there is no key named “{name}”"),
    "key.scopes": ("不认识权限“{scope}”；可用：{scopes}", "“{scope}” is no scope; expected one of: {scopes}"),
    "key.expired": ("到期时间应在将来", "the expiry should lie ahead"),
    "key.no_scopes": ("请至少给出一项权限", "give at least one scope"),
    "key.wrong_day": ("到期日应为日期", "the expiry should be a date"),
    "key.any": ("不限", "any"),
    "key.never": ("不到期", "never"),
    "key.state.valid": ("有效", "valid"),
    "key.state.revoked": ("已吊销", "revoked"),
    "key.state.expired": ("已到期", "expired"),
    "page.keys": ("接口密钥", "Keys"),
    "home.keys": (
        "上游系统接入用的密钥：新建、查看、吊销。",
        "What systems come in with: make, look at, revoke.",
    ),
    "keys.lead": (
        "上游系统凭密钥接入接口。密钥新建时显示一次，此后系统只存它的散列，谁也看不到；遗失了就吊销，另建一个。"
        "新建和吊销都记入变更记录。",
        "Systems come in with a key. It is shown once, when it is made; after that only its hash is kept and nobody"
        " can see it. A lost key is revoked and another made. Both are written into the change log.",
    ),
    "keys.new": ("新建密钥", "A new key"),
    "keys.name": ("名称", "Name"),
    "keys.name_hint": (
        "例如系统的代码；明细和接收记录里以“key:名称”出现。",
        "Such as the system's code; records say “key:name”.",
    ),
    "keys.scopes": ("权限", "May"),
    "keys.source": ("只用于来源", "For this source only"),
    "keys.source_hint": (
        "填了来源，密钥就只能报送、读取、撤回、更正这个来源的事件；不填则不限。",
        "A key bound to a source reports, reads, retracts and corrects that source's events only; empty: any source.",
    ),
    "keys.expires": ("到期日", "Ends on"),
    "keys.expires_hint": (
        "从这一天零时起失效；不填则不到期。",
        "From midnight of that day it opens nothing; empty: never.",
    ),
    "keys.make": ("新建", "Make the key"),
    "keys.made": (
        "密钥“{name}”已建好。只显示这一次，请立即保存：",
        "The key “{name}”. It is shown this once; keep it now:",
    ),
    "keys.try": (
        "试一试：这条命令应答的是生效的规则版本或 403（没有读取规则的权限）。",
        "To try it: this answers the version in force, or 403 where the key may not read rules.",
    ),
    "keys.not_done": ("没有办成", "Not done"),
    "keys.none": ("还没有密钥。", "There are no keys yet."),
    "keys.state": ("状态", "State"),
    "keys.made_by": ("建立", "Made"),
    "keys.colon": ("：", ": "),
    "keys.revoke": ("吊销", "Revoke"),
    "keys.revoke_ask": (
        "用“{name}”的系统至多两秒后就进不来，不能恢复。",
        "Whoever uses “{name}” is locked out within two seconds, for good.",
    ),
    "keys.revoke_sure": ("确定吊销", "Revoke it"),
    "keys.revoked": ("密钥“{name}”已吊销。", "The key “{name}” is revoked."),
    "keys.revoked_at": ("吊销于 {at}", "revoked {at}"),
    "keys.only_office": ("密钥由绩效办新建和吊销。", "The office makes and revokes keys."),
    "keys.log": ("变更记录", "Change log"),
    "keys.copy": ("复制", "Copy"),
    "keys.copied": ("已复制", "Copied"),
    "keys.scope.events:write": ("报送事件", "report events"),
    "keys.scope.events:backdate": ("报送时写明何时收到", "say when events reached it"),
    "keys.scope.events:retract": ("撤回、更正事件", "retract and correct events"),
    "keys.scope.events:read": ("读取事件", "read events"),
    "keys.scope.entries:read": ("读取明细、得分、名次", "read entries, scores, ranks"),
    "keys.scope.organisation:write": ("维护考评对象和关系", "keep subjects and relations"),
    "keys.scope.rules:read": ("读取规则", "read rules"),
    "keys.scope.rules:write": ("修改、发布规则", "change and publish rules"),
    "keys.scope.periods:write": ("设置、结算、关闭周期", "declare, settle, close periods"),
}

register(TEXTS)
