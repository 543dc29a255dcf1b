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
    "serve.stop_hint": ("按 Ctrl+C 停止", "Ctrl+C stops it"),
    "serve.direct_alone": (
        "Python {version} 不支持 durable_rules，只用 direct 匹配器",
        "Python {version} cannot run durable_rules; the direct matcher runs alone",
    ),
    "serve.busy": ("地址 {address} 无法监听：{reason}", "cannot listen on {address}: {reason}"),
    "command.interrupted": ("已中断", "interrupted"),
}

register(TEXTS)
