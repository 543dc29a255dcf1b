"""All measurements, one after the other, written to ``bench/RESULTS.md``: ``python -m bench``.

With names (``python -m bench recording verifying``) only those, and the other sections stay. ``--quick`` runs them
small, to see that they run, and writes nothing. It exits non-zero where engines disagree, or where one more event
costs more in a long ledger than in a short one; other aims that are missed are said, not failed.
"""

import argparse
import sys

from bench import hits, matching, posting, reading, recording, replay, simulating, verifying
from bench.results import RESULTS, write

MEASURES = {
    each.__name__.removeprefix("bench."): each.measure
    for each in (posting, recording, reading, hits, matching, replay, verifying, simulating)
}


def main() -> None:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="small, to see that they run; writes nothing")
    given = parser.parse_args()
    quick: bool = given.quick
    found = {name: MEASURES[name](quick=quick) for name in given.names or MEASURES}
    page = write(list(found.values()), "" if quick else RESULTS.read_text(encoding="utf-8"))
    if not quick:
        RESULTS.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    sys.exit(bool("posting" in found and found["posting"].missed))


if __name__ == "__main__":
    main()
