#!/bin/sh
# A browser and Chinese fonts for the tests that drive pages: what is there, else Debian's packages (as root),
# else the browser that Playwright brings. Quick when nothing is missing.
set -eu
cd "$(dirname "$0")/.."

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
fonts() { command -v fc-list >/dev/null && test -n "$(fc-list :lang=zh-cn family 2>/dev/null)"; }

wanted=
browser >/dev/null || wanted="chromium"
fonts || wanted="$wanted fontconfig fonts-noto-cjk"
test -n "$wanted" || exit 0

if test "$(id -u)" = 0 && command -v apt-get >/dev/null; then
    echo "jikao: 正在安装 / installing:$wanted" >&2
    log=$(mktemp)
    # shellcheck disable=SC2086
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 3 "$log" >&2
    rm -f "$log"
fi

if ! browser >/dev/null; then
    .venv/bin/python -m playwright install chromium >/dev/null 2>&1 || {
        echo "jikao: 缺少浏览器 / a browser is missing: apt-get install chromium fonts-noto-cjk" >&2
        exit 1
    }
fi
fonts || echo "jikao: 缺少中文字体，截图会显示方框 / no Chinese font: apt-get install fonts-noto-cjk" >&2
