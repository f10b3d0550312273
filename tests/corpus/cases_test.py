#!/usr/bin/env python3
"""Each case of the collection of what broke other tools has a test that bears its number ("B41: ...").

The collection is not part of the project: it lies beside it, as the corpus does (truth_test.py). Without it the test is skipped,
except with CI=true.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "CASES.md"

# What no test here can be for yet, and what it waits for.
LATER = {
    "B80": "plugin configuration by auditd's version: packages",
    "B81": "plugin folder by auditd's version: packages",
    "B83": "order of installation: packages",
    "B93": "audit rules that load on each architecture",
}


def tested():
    """The numbers at the beginning of names and docstrings of tests."""
    begins = re.compile(r'(?:TEST_CASE\("|""")((?:B\d+(?:, )?)+):')
    found = set()
    for path in (ROOT / "tests").rglob("*_test.*"):
        for numbers in begins.findall(path.read_text(encoding="utf-8", errors="replace")):
            found.update(numbers.split(", "))
    return found


def main():
    if not CASES.is_file():
        print(f"{CASES}: the collection of cases is not there")
        return 1 if os.environ.get("CI") == "true" else 77
    cases = set(re.findall(r"^\| (B\d+) \|", CASES.read_text(encoding="utf-8"), re.MULTILINE))
    found = tested()
    missing = sorted(cases - found - LATER.keys())
    needless = sorted(LATER.keys() & found) + sorted(LATER.keys() - cases)
    for number in missing:
        print(f"{number}: no test bears this number")
    for number in needless:
        print(f"{number}: has a test now, or is no case: not to be listed as waiting")
    print(f"{len(cases)} cases, {len(cases & found)} with a test, {len(LATER)} waiting")
    return 1 if missing or needless or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
