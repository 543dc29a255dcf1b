"""All measurements, one after the other, written to ``bench/RESULTS.md``: ``python -m bench``.

With names (``python -m bench recording verifying``) only those, and the other sections stay. ``--quick`` runs them
small, to see that they run, and writes nothing. It exits non-zero where engines disagree, or where one more event
costs more in a long ledger than in a short one; other aims that are missed are said, not failed.
"""

import sys

from bench import matching, posting, reading, recording, replay, simulating, verifying
from bench.results import RESULTS, write

MEASURES = {
    each.__name__.removeprefix("bench."): each.measure
    for each in (posting, recording, reading, matching, replay, verifying, simulating)
}


def main() -> None:
    """Measure everything, or what is named."""
    quick = "--quick" in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    if unknown := set(names) - MEASURES.keys():
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    found = {name: MEASURES[name](quick=quick) for name in names or MEASURES}
    page = write(list(found.values()), "" if quick else RESULTS.read_text(encoding="utf-8"))
    if not quick:
        RESULTS.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    sys.exit(bool("posting" in found and found["posting"].missed))


if __name__ == "__main__":
    main()
