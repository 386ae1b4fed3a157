"""The suite without pytest, for machines where nothing is to be installed: one line for each case that fails."""

import traceback
from collections.abc import Callable

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.cases import cases
from magnum.drivers.conformance.samples import Unknown
from magnum.drivers.conformance.trial import Unfit


def run(candidate: Candidate, say: Callable[[str], object]) -> bool:
    """Try every case, and say what fails and the counts. True where all pass."""
    passed, failed, skipped = 0, 0, 0
    for case in cases(candidate):
        try:
            case.run()
        except Unknown:
            skipped += 1
        except Unfit as error:
            failed += 1
            say(f"FAILED {case.name}: {error}")
        except Exception:  # noqa: BLE001 - a world may have a bug: it is told, and the others are tried
            failed += 1
            say(f"FAILED {case.name}, in the suite or its world:\n{traceback.format_exc()}")
        else:
            passed += 1
    counts = {"failed": failed, "passed": passed, "skipped": skipped}
    say(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return not failed
