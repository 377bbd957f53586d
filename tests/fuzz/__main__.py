"""``python -m tests.fuzz TARGET [options of libFuzzer]``: fuzz one way in with atheris (the extra ``fuzz``).

It begins with ``seeds/TARGET`` and goes on for ever, or for ``-runs=N`` or ``-max_total_time=SECONDS``.  An input that
finds a fault is written to ``seeds/TARGET/crash-...``, to be committed with what mends it; other new inputs are kept
in the folder that is given: ``python -m tests.fuzz date -runs=10000000 /tmp/date``.
"""

from __future__ import annotations

import sys
import tempfile


def main() -> None:
    """Run until a fault is found or the runs are done."""
    import atheris

    with atheris.instrument_imports(include=["weft"]):
        from tests.fuzz.seeds import SEEDS
        from tests.fuzz.targets import TARGETS
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        raise SystemExit(f"which of {', '.join(TARGETS)}?")
    seeds = SEEDS / name
    with tempfile.TemporaryDirectory() as folder:
        given = [] if any(not option.startswith("-") for option in options) else [folder]
        arguments = [f"-artifact_prefix={seeds}/", *options, *given, str(seeds)]
        atheris.Setup([sys.argv[0], *arguments], TARGETS[name].check)
        atheris.Fuzz()


main()
