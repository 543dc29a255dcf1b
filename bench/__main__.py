"""All measurements, one after the other, written to ``bench/RESULTS.md``: ``python -m bench``.

``--quick`` runs them small, to see that they run, and writes nothing. It exits non-zero where engines disagree, or
where one more event costs more in a long ledger than in a short one; other aims that are missed are said, not failed.
"""

import sys

from bench import matching, posting, reading, recording, replay, verifying
from bench.results import RESULTS, write


def main() -> None:
    """Measure everything."""
    quick = "--quick" in sys.argv
    posted = posting.measure(quick=quick)
    others = [each.measure(quick=quick) for each in (recording, reading, matching, replay, verifying)]
    page = write([posted, *others], quick=quick)
    if not quick:
        RESULTS.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    sys.exit(bool(posted.missed))


if __name__ == "__main__":
    main()
