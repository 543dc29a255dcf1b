"""The texts of the interface, the settings and the command line, in both languages."""

from engine.language import Catalogue, register

TEXTS: Catalogue = {
    "setting.missing": ("缺少这项设置；应为{expected}", "is not set; expected {expected}"),
    "setting.wrong": ("设置为“{given}”；应为{expected}", "is “{given}”; expected {expected}"),
    "setting.wrong_secret": (
        "设置不合要求（内容不显示）；应为{expected}",
        "is set to something else (not shown); expected {expected}",
    ),
    "setting.expected.url": (
        "postgresql://用户:密码@主机:端口/数据库",
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    ),
    "setting.expected.listen": ("主机:端口，如 127.0.0.1:8000", "HOST:PORT, such as 127.0.0.1:8000"),
    "setting.expected.timezone": ("时区名称，如 Asia/Shanghai", "the name of a time zone, such as Asia/Shanghai"),
    "setting.expected.approvals": ("0 到 9 的整数", "a whole number from 0 to 9"),
    "setting.expected.workers": ("1 到 64 的整数", "a whole number from 1 to 64"),
    "setting.expected.matcher": ("durable 或 direct", "durable or direct"),
    "setting.expected.matcher_here": (
        "direct（durable 需要 Python 3.11 或 3.12）",
        "direct (durable needs Python 3.11 or 3.12)",
    ),
    "setting.expected.secret": ("至少 32 个字符的随机文本", "a random text of at least 32 characters"),
    "setting.expected.language": ("zh-CN 或 en", "zh-CN or en"),
    "setting.folder": ("无法写入这个文件夹：{reason}", "this folder cannot be written: {reason}"),
    "embedded.missing": (
        "内置的 PostgreSQL 没有安装；请重新执行 make install，或设置 DATABASE_URL",
        "the embedded PostgreSQL is not installed; run make install again, or set DATABASE_URL",
    ),
    "embedded.initdb": (
        "内置的 PostgreSQL 无法建立数据目录：{reason}",
        "the embedded PostgreSQL could not make its data folder: {reason}",
    ),
    "embedded.start": ("内置的 PostgreSQL 无法启动：{reason}", "the embedded PostgreSQL did not start: {reason}"),
    "embedded.passwords": (
        "内置 PostgreSQL 的口令文件已丢失或损坏；请恢复它，或移走旁边的 data 文件夹",
        "the passwords of the embedded PostgreSQL are lost or damaged; restore this file, or move the data folder "
        "beside it away",
    ),
    "embedded.version": (
        "数据由 PostgreSQL {found} 写成；应为 {expected}；请先用旧版本导出",
        "the data was written by PostgreSQL {found}; expected {expected}; export it with the older release first",
    ),
    "embedded.account": (
        "以 root 运行时需要系统用户 postgres 或 nobody 来运行 PostgreSQL",
        "as root, a system user postgres or nobody is needed to run PostgreSQL",
    ),
    "database.unreachable": ("数据库没有应答：{reason}", "the database does not answer: {reason}"),
    "database.superuser": (
        "角色“{role}”是超级用户；应为普通角色。请把所有者的连接放在 JIKAO_MIGRATE_URL，"
        "DATABASE_URL 用一个不拥有任何表的普通角色",
        "the role “{role}” is a superuser; expected an ordinary role. Give the owner's connection in "
        "JIKAO_MIGRATE_URL, and in DATABASE_URL an ordinary role that owns no table",
    ),
    "database.owner": (
        "角色“{role}”是表（或其模式）的所有者；应为不拥有任何表的角色。请把所有者的连接放在 JIKAO_MIGRATE_URL，"
        "DATABASE_URL 用另一个角色",
        "the role “{role}” owns the tables (or their schema); expected a role that owns none. Give the owner's "
        "connection in JIKAO_MIGRATE_URL, and another role in DATABASE_URL",
    ),
    "database.behind": (
        "数据库的表不是最新的（缺 {count} 步）；请设置 JIKAO_MIGRATE_URL 后执行 jikao migrate",
        "the database's tables are not current ({count} steps missing); set JIKAO_MIGRATE_URL and run jikao migrate",
    ),
    "database.role_missing": (
        "角色“{role}”不存在，而所有者无权建立角色；请由数据库管理员建立它",
        "the role “{role}” does not exist and the owner may not create roles; have the database's administrator "
        "make it",
    ),
    "database.password_missing": (
        "角色“{role}”不存在，建立它需要在 DATABASE_URL 中给出密码",
        "the role “{role}” does not exist; to make it, DATABASE_URL must hold its password",
    ),
    "database.migration": ("迁移没有完成：{reason}", "the migration did not finish: {reason}"),
    "migrate.need_url": (
        "缺少所有者的连接；应设置 JIKAO_MIGRATE_URL",
        "the owner's connection is missing; expected JIKAO_MIGRATE_URL to be set",
    ),
    "migrate.current": ("数据库的表已是最新", "the database's tables are current"),
    "migrate.done": ("已执行 {count} 步迁移", "{count} migration steps done"),
    "serve.address": ("绩考已启动：{address}", "jikao is up: {address}"),
    "serve.administrator": (
        "管理员账号 {name} 已建立，初始密码（只显示这一次，首次登录须修改）：{password}",
        "the administrator {name} was made; the password (shown only now, change it at first sign-in): {password}",
    ),
    "serve.trial": ("试发一个事件：\n{line}", "post an event:\n{line}"),
    "demonstration.filled": (
        "已填入演示数据：示例规则、30 个单位、210 名人员和一年的事件",
        "a demonstration was filled in: the starter rulebook, 30 units, 210 people and a year of events",
    ),
    "user.password": (
        "{name} 的密码（只显示这一次）：{password}",
        "the password of {name}, shown only now: {password}",
    ),
    "serve.stop_hint": ("按 Ctrl+C 停止", "Ctrl+C stops it"),
    "serve.direct_alone": (
        "Python {version} 不支持 durable_rules，只用 direct 匹配器",
        "Python {version} cannot run durable_rules; the direct matcher runs alone",
    ),
    "serve.busy": ("地址 {address} 无法监听：{reason}", "cannot listen on {address}: {reason}"),
    "check.mismatch": (
        "    第 {step} 步 {what}：预期 {expected}，实际 {actual}",
        "    step {step}: {what}: expected {expected}, actual {actual}",
    ),
    "check.problem": ("{detail}（HTTP {status}）", "{detail} (HTTP {status})"),
    "check.unanswered": ("服务没有应答：{reason}", "the server does not answer: {reason}"),
    "check.summary": ("{cases} 个用例，{failed} 个不成立", "{cases} cases, {failed} do not hold"),
    "check.no_cases": ("规则“{rulebook}”没有自己的用例", "the rulebook “{rulebook}” has no cases of its own"),
    "check.unreadable": ("文件无法读取：{reason}", "the file cannot be read: {reason}"),
    "check.empty": ("文件中没有用例，也没有规则", "the file holds neither a case nor a rulebook"),
    "command.interrupted": ("已中断", "interrupted"),
    "problem.malformed": ("请求无法读取", "the request cannot be read"),
    "problem.malformed.detail": ("请求的格式不正确", "the request is not well formed"),
    "problem.refused": ("内容不符合要求", "what was sent is refused"),
    "problem.refused.detail": ("内容不符合要求", "what was sent does not fit"),
    "problem.conflict": ("与现有记录冲突", "this conflicts with what is there"),
    "problem.conflict.detail": ("与现有记录冲突", "this conflicts with what is there"),
    "problem.unknown": ("没有找到", "not found"),
    "problem.unknown.detail": ("这个地址没有内容", "there is nothing at this address"),
    "problem.stale": ("内容已被他人修改", "it has changed since"),
    "problem.stale.detail": (
        "请在 If-Match 中给出当前内容的 ETag，再次提交",
        "give the ETag of what is there now in If-Match and send it again",
    ),
    "problem.disagreement": ("两个匹配器结果不一致", "the two matchers disagree"),
    "problem.disagreement.detail": (
        "事件没有入账，已发出告警；可以稍后重发",
        "the event was not kept and an alarm was raised; it may be sent again later",
    ),
    "problem.unavailable": ("暂时无法服务", "temporarily unavailable"),
    "problem.unavailable.detail": ("数据库没有应答，请稍后重试", "the database does not answer; try again later"),
    "problem.unauthorized": ("需要身份", "credentials are needed"),
    "problem.unauthorized.detail": (
        "请登录，或在 Authorization: Bearer 中给出有效的密钥",
        "sign in, or give a valid key in Authorization: Bearer",
    ),
    "problem.forbidden": ("无权执行", "not permitted"),
    "problem.forbidden.detail": ("当前身份无权执行这一操作", "these credentials do not permit this"),
    "problem.method": ("不支持的方法", "method not allowed"),
    "problem.method.detail": ("这个地址不支持这一方法", "this address does not take this method"),
    "problem.unacceptable": ("没有所要的格式", "not available in that form"),
    "problem.unacceptable.detail": ("没有所要的格式", "there is no such form of it"),
    "problem.large": ("请求过大", "the request is too large"),
    "problem.large.detail": ("请求体超过了允许的大小", "the body is larger than is allowed"),
    "problem.media_type": ("不支持的内容类型", "content type not supported"),
    "problem.media_type.detail": ("请检查 Content-Type", "check the Content-Type"),
    "problem.often": ("请求过于频繁", "too many requests"),
    "problem.often.detail": ("请稍后再试", "try again later"),
    "problem.wrong": ("请求有误", "the request is wrong"),
    "problem.wrong.detail": ("请求有误", "the request is wrong"),
    "problem.failed": ("内部错误", "internal error"),
    "problem.failed.detail": ("处理时出错，已记入日志", "something went wrong and was logged"),
    "problem.at_line": ("第 {line} 行：{said}", "line {line}: {said}"),
    "body.empty": ("请求体为空", "the body is empty"),
    "body.mapping": ("应为一个 JSON 对象", "expected a JSON object"),
    "body.array": ("应为事件的 JSON 数组", "expected a JSON array of events"),
    "body.key": ("不认识“{name}”；可用：{keys}", "“{name}” is not known; expected one of: {keys}"),
    "body.missing": ("缺少“{name}”", "“{name}” is missing"),
    "body.media_type": ("内容类型为“{given}”；应为 {expected}", "the content type is “{given}”; expected {expected}"),
    "query.wrong": ("参数“{name}”缺失或不是所要的类型", "the parameter “{name}” is missing or not of its type"),
    "query.limit": ("limit 应为 1 到 {most} 的整数", "limit should be a whole number from 1 to {most}"),
    "query.cursor": (
        "cursor 无效；请使用上一页给出的 next_cursor",
        "the cursor is not valid; use the next_cursor of a page",
    ),
    "cloud.version": ("specversion 应为 1.0", "specversion should be 1.0"),
    "cloud.data_type": (
        "datacontenttype 应为 application/json，且不使用 data_base64",
        "datacontenttype should be application/json, and data_base64 is not taken",
    ),
    "cloud.source": (
        "来源“{source}”没有登记；请在管理后台为它登记一个来源代码",
        "the source “{source}” is not registered; register a source code for it in the admin",
    ),
    "cloud.source_missing": ("缺少来源 source", "source is missing"),
    "key.source": ("这个密钥只能用于来源“{source}”", "this key is for the source “{source}” only"),
    "key.backdate": ("给出 recorded_at 需要权限 events:backdate", "giving recorded_at needs the scope events:backdate"),
    "key.scope": ("需要权限 {scopes}", "this needs the scope {scopes}"),
    "key.person": ("需要登录的审批人", "this needs a signed-in approver"),
    "key.form": ("缺少或不符的表单令牌 x-csrftoken", "the form token x-csrftoken is missing or does not fit"),
    "key.password": ("请先修改密码", "change the password first"),
    "key.made": (
        "密钥“{name}”：{text}\n只显示这一次，请立即保存",
        "key “{name}”: {text}\nit is shown this once; keep it now",
    ),
    "key.revoked": ("密钥“{name}”已吊销", "the key “{name}” is revoked"),
    "key.row": (
        "{name}  权限 {scopes}  来源 {source}  到期 {expires}  状态 {state}",
        "{name}  scopes {scopes}  source {source}  expires {expires}  {state}",
    ),
    "key.none": ("还没有密钥", "there are no keys"),
    "version.none": ("这一时间没有生效的规则", "no rulebook is in force at that time"),
    "rulebook.if_match": (
        "已有草稿；请在 If-Match 中给出它的 ETag",
        "there is a draft already; give its ETag in If-Match",
    ),
    "rulebook.case_fails": (
        "用例“{name}”第 {step} 步：{what}，应为 {expected}，实为 {actual}",
        "case “{name}”, step {step}: {what}, expected {expected}, but it is {actual}",
    ),
    "subject.unknown": ("没有考评对象“{subject}”", "there is no subject “{subject}”"),
    # --- receptions, statements, importing ---
    "line.too_long": ("这一行超过 {most} 字节", "the line is longer than {most} bytes"),
    "import.ending": ("不认识这种文件；可以导入：{known}", "this kind of file is not known; expected one of: {known}"),
    "import.line": ("第 {line} 行{where}：{said}", "line {line}{where}: {said}"),
    "import.progress": (
        "已处理 {lines} 行 {share}，退回 {refused}，每秒 {speed} 行",
        "{lines} lines {share}, {refused} refused, {speed} a second",
    ),
    "import.broken_off": (
        "处理 {lines} 行后中断：{reason}；请重新导入，已入账的不会重复",
        "broken off after {lines} lines: {reason}; import it again, what is recorded is not recorded twice",
    ),
    "import.done": (
        "新入账 {accepted}，重复 {repeated}，退回 {refused}",
        "{accepted} recorded, {repeated} repeated, {refused} refused",
    ),
    "import.nothing_kept": ("有退回的行，全部没有入账", "with lines refused, nothing was recorded"),
    "import.mend": ("退回的行在 {file}，改好后可再导入", "the refused lines are in {file}; mend them and import it"),
    "import.refused_file": ("无法新建这个文件：{reason}", "this file cannot be made: {reason}"),
    "statement.count_or_ids": (
        "请给出 count（当日发送的事件数）或 ids（它们的编号），二者之一",
        "give either count (the events that were sent on the day) or ids (theirs)",
    ),
    "statement.count": ("count 应为 0 到 {most} 的整数", "count should be a whole number from 0 to {most}"),
    "statement.ids": ("ids 应为事件编号的数组，至多 {most} 个", "ids should be an array of at most {most} event ids"),
    "statement.ahead": ("这一天还没有到", "that day is still ahead"),
    "statement.unknown": ("没有第 {number} 号对账单", "there is no statement {number}"),
    # appeals (申诉)
    "key.appeals": (
        "申诉的各步由登录的人员办理，密钥只能查看",
        "a signed-in person takes the steps of an appeal; a key only reads",
    ),
    "key.office": ("此操作由绩效办办理", "this is for the office to do"),
    "appeal.entry_number": ("应为明细的台账号", "expected the number of an entry"),
    "appeal.verdict": (
        "应为 upheld（成立）、partly（部分成立）或 rejected（不成立）",
        "expected upheld, partly or rejected",
    ),
    "appeal.attachments": (
        '应为列表，每项为 {{"name", "content"}}，content 为 base64',
        'expected a list of {{"name", "content"}}, the content in base64',
    ),
    "appeal.preview": ("应为 true 或 false", "expected true or false"),
    "appeal.state_asked": (
        "应为 open、lodged、answered、upheld、partly、rejected 或 withdrawn",
        "expected open, lodged, answered, upheld, partly, rejected or withdrawn",
    ),
    # --- acts ---
    "key.whole": (
        "管理行为涉及全部考评对象，只看得到一部分台账的不能查看",
        "acts concern everybody: whoever sees a part of the ledger only may not read them",
    ),
    # the chain's records
    "records.whole": (
        "链上记录只对能看到全部明细的人开放",
        "the chain's records are for those who see every entry",
    ),
    "records.number": ("应为从 1 起的编号", "expected a number from 1 on"),
    # --- roles ---
    "key.no_subject": (
        "您的账号没有登记所属考评对象，看不到明细和得分；请联系绩效办登记",
        "your account names no subject, so that no entries and scores are in sight; ask the office to enter it",
    ),
    "key.own_appeals": (
        "申诉由考评对象本人、绩效办、审批人和审计人员查看",
        "appeals are read by those who are concerned, the office, approvers and auditors",
    ),
    "key.draft": (
        "草稿由绩效办、审批人和审计人员查看；其他人查看已发布的规则",
        "the draft is read by the office, approvers and auditors; others read what is published",
    ),
    "key.reconciliation": (
        "对账由绩效办和集成管理员办理，审批人和审计人员可以查看",
        "reconciliation is for the office and integrators; approvers and auditors may read it",
    ),
    # --- simulation ---
    "simulation.whole": (
        "试算涉及全部考评对象，只看得到一部分台账的不能使用",
        "simulations concern everybody: whoever sees a part of the ledger only may not use them",
    ),
    "simulation.line": (
        "{subject}  {before} → {after}（{difference}）  名次 {rank_before} → {rank_after}",
        "{subject}  {before} → {after} ({difference})  rank {rank_before} → {rank_after}",
    ),
    "simulation.more": ("另有 {count} 个对象变化，详见 --json 或页面", "{count} more; see --json, or the page"),
    "simulation.owner": ("只有发起人或绩效办可以取消", "whoever started it, or the office, may cancel it"),
    "tables.as_it_is": ("没有别的信息", "nothing else"),
    "tables.change": ("{kind} {code} {name} {said}", "{kind} {code} {name} {said}"),
    "tables.entries": ("台账将有 {entries} 条明细随之变化", "{entries} entries of the ledger would change"),
    "tables.preview": ("以上只是预览，什么也没有导入", "this was a preview; nothing was imported"),
    "tables.draft": ("已导入，草稿已整本替换（摘要 {hash}）", "imported: the draft has been replaced (hash {hash})"),
    "tables.act": ("已导入，见管理行为 {act}", "imported, by the act {act}"),
    "tables.written": ("已写入 {file}", "written to {file}"),
    "tables.ending": (
        "{what} 不能写成 {ending}；规则书可写成 .xlsx、.yaml，考评对象和关系还可写成 .csv，"
        "全部只可写成 .xlsx，事件只可写成 .csv",
        "{what} cannot be written as {ending}; a rulebook as .xlsx or .yaml, subjects and relations as .csv as well,"
        " all of them as .xlsx only, events as .csv only",
    ),
}

register(TEXTS)
