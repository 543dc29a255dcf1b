"""Recomputes the chain of a jikao ledger from its export, with nothing but Python.

    python verify_export.py [chain.ndjson | -] [LENGTH:HEAD …]

LENGTH:HEAD are seals that were noted: the chain must have that head at that length. An export that does
not begin with record 1 is recomputed from the seal of the record before it. Exit status 0: it holds.
"""

import hashlib
import json
import sys


def main(file: str = "-", *noted: str) -> None:
    seals = {int(length): head for length, _, head in (seal.partition(":") for seal in noted)}
    number, before = None, ""
    with open(0 if file == "-" else file, "rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
                found, here = record.pop("hash"), record["number"]
                text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                sys.exit(f"record {(number or 0) + 1}: unreadable: {error!r}")
            number = here if number is None else number + 1
            before = before or seals.get(number - 1, "")
            computed = hashlib.sha256(before.encode() + b"\n" + text).hexdigest()
            if here != number or found != computed or seals.get(number, found) != found:
                sys.exit(
                    f"record {number}: there is {here} with hash {found}; computed {computed}; seal {seals.get(number)}"
                )
            before = found
    if any(length > (number or 0) for length in seals):
        sys.exit(f"record {(number or 0) + 1}: missing; the chain was sealed at length {max(seals)}")
    print(f"ok: record {number}, head {before}")


if __name__ == "__main__":
    main(*sys.argv[1:])
