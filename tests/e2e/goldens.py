#!/usr/bin/env python3
"""Compares what luatrail finds in the recorded scenarios with the goldens beside them, or rewrites those.

Usage: goldens.py [--update] [--goldens DIRECTORY] [NAME...]

The program is named by the environment variable LUATRAIL. Goldens are NAME/findings.jsonl below fixtures/scenarios, or below DIRECTORY.
Exit status: 0 all equal (or written), 1 not so, 2 luatrail could not read a recording.
"""
import argparse
import difflib
import pathlib
import sys

import harness


def findings_of(scenario):
    result = scenario.replay()
    if result.status not in (0, 1) or (result.err and "says" not in scenario.facts):
        sys.exit(f"goldens.py: {scenario.name}: luatrail ended with {result.status}: {result.err}")
    return result.out


def difference(scenario, golden, found):
    old, new = (text.decode("utf-8", errors="replace").splitlines(keepends=True) for text in (golden, found))
    return "".join(difflib.unified_diff(old, new, f"golden/{scenario.name}", f"found/{scenario.name}", n=0))


def check(scenario, golden):
    if not golden.exists():
        return f"{golden}: missing; run scripts/update-goldens {scenario.name}, and read what it writes"
    return difference(scenario, golden.read_bytes(), findings_of(scenario))


def update(scenario, golden):
    found = findings_of(scenario)
    old = golden.read_bytes() if golden.exists() else None
    if old == found:
        return ""
    golden.parent.mkdir(parents=True, exist_ok=True)
    golden.write_bytes(found)
    return difference(scenario, old or b"", found) or f"{golden}: new, and empty"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--update", action="store_true")
    arguments.add_argument("--goldens", type=pathlib.Path, default=harness.SCENARIOS)
    arguments.add_argument("names", nargs="*")
    arguments = arguments.parse_args()

    known = {scenario.name: scenario for scenario in harness.scenarios()}
    if unknown := set(arguments.names) - set(known):
        sys.exit(f"goldens.py: no scenario {' '.join(sorted(unknown))} in {harness.SCENARIOS}")
    differing = 0
    chosen = [known[name] for name in arguments.names] or list(known.values())
    for scenario in chosen:
        text = (update if arguments.update else check)(scenario, arguments.goldens / scenario.name / "findings.jsonl")
        if text:
            differing += 1
            print(text)
    print(f"{len(chosen)} scenarios, {differing} goldens {'written' if arguments.update else 'not met'}")
    return 0 if arguments.update or not differing else 1


if __name__ == "__main__":
    sys.exit(main())
