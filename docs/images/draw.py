"""Draws the pictures of what a run reports: one failure as e-mail and in Slack, and its end. `make pictures` calls it.

The messages are made by the code that sends them. E-mails are their own HTML; what is posted to Slack's webhook is
rendered by the npm package slack-to-html and dressed as Slack shows a message. Debian's Chromium takes the pictures.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shopmill.airflow.message_forms import Message
from shopmill.airflow.messages import FailedTask, Outcome, failure_message, success_message
from shopmill.registry.notices import Notice
from shopmill.run.published import Published

HERE = Path(__file__).parent
WIDTH = 700
SLACK_TO_HTML = HERE / "node_modules/slack-to-html/dist/umd/index.umd.js"
CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
]
MEASURED = re.compile(r'data-height="(\d+)"')
MEASURE = (
    "<script>document.body.dataset.height = Math.ceil(document.documentElement.getBoundingClientRect().height)</script>"
)

SINCE = datetime(2026, 11, 21, 2, 3, tzinfo=UTC)
PAGE = "https://airflow.example.com/dags/user_item_interactions/runs/scheduled__2026-11-23"
RUN = Outcome("user_item_interactions", "ml-platform", "2026-11-23", PAGE)
TASK = FailedTask(
    task="quality_check",
    error="2 of its checks failed, so nothing was published",
    failed_checks=(
        "interactions: recency_days at least 0: 41 violations (such as 1001, 0108775015; 1007, 0108775044; "
        "1012, 0110065001)",
        "rejects: 18204 of 1469307 input rows rejected (such as 18204 of transactions: price is negative)",
    ),
    log_url=f"{PAGE}/tasks/quality_check?try_number=1",
)
PUBLISHED = Published(RUN.dataset, "2026-11-23", "3f2a9c1d77ab", 1_284_951, 45_600_000, 12, "published", "s3://…")

SLACK = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><style>
body { margin: 0; padding: 16px 20px; background: #fff; color: #1d1c1d; display: flex; gap: 8px;
       font: 15px/1.46668 Lato, Helvetica, Arial, sans-serif }
#icon { flex: none; width: 36px; height: 36px; border-radius: 8px; background: #4a154b; color: #fff;
        font: 900 20px/36px Lato, sans-serif; text-align: center }
#app { font-weight: 900 }
#kind { margin: 0 6px 0 4px; padding: 1px 3px; border-radius: 2px; background: #ebeaeb; color: #616061;
        font: 700 10px/1 Lato, sans-serif; vertical-align: 2px }
#time { color: #616061; font-size: 12px }
#text { white-space: pre-wrap; overflow-wrap: anywhere; font-variant-ligatures: none }
a { color: #1264a3; text-decoration: none }
.slack_bold { font-weight: 900 }
.slack_italics { font-style: italic }
code { padding: 2px 3px 1px; border: 1px solid #dddddd; border-radius: 3px; background: #f8f8f8; color: #c01343;
       font: 12px/1.5 Monaco, Menlo, Consolas, monospace }
</style></head><body><div id="icon">s</div>
<div><span id="app">shopmill</span><span id="kind">APP</span><span id="time">2:04 AM</span><div id="text"></div></div>
<script src="LIBRARY"></script>
<script>document.getElementById("text").innerHTML = slackToHtml.escapeForSlackWithMarkdown(POSTED)</script>
</body></html>"""


def main() -> None:
    """Draw every picture beside this file."""
    if not shutil.which("chromium") or not SLACK_TO_HTML.exists():
        sys.exit("Chromium (Debian: chromium fonts-lato fonts-liberation) and `npm ci` in docs/images are needed.")
    failed, recovered = _messages()
    _draw("email-failed", failed.html)
    _draw("email-recovered", recovered.html)
    _draw("slack-failed", _in_slack(failed.slack))


def _messages() -> tuple[Message, Message]:
    bad = Notice(True, "failed", 3, SINCE)
    good = Notice(True, "published", 1, SINCE, bad)
    return failure_message(RUN, (TASK,), bad, timedelta(hours=12)), success_message(RUN, PUBLISHED, good)


def _in_slack(posted: str) -> str:
    quoted = json.dumps(posted).replace("<", "\\u003c")  # no end of the script in it
    return SLACK.replace("LIBRARY", SLACK_TO_HTML.as_uri()).replace("POSTED", quoted)


def _draw(name: str, html: str) -> None:
    """A picture as high as its page: Chromium is asked for that first."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(html.replace("</body>", f"{MEASURE}</body>"))
        command = [*CHROMIUM, f"--user-data-dir={folder}/profile"]
        measured = _run([*command, f"--window-size={WIDTH},600", "--dump-dom", page.as_uri()])
        [height] = MEASURED.findall(measured)
        picture = f"--screenshot={HERE / name}.png"
        _run([*command, f"--window-size={WIDTH},{height}", picture, page.as_uri()])


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603 (ours)


if __name__ == "__main__":
    main()
