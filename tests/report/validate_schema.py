#!/usr/bin/env python3
"""Validates findings against docs/finding.schema.json.

Usage: validate_schema.py SCHEMA SAMPLES_PROGRAM FIXTURES

SAMPLES_PROGRAM prints rendered findings, one a line. FIXTURES is searched for scenarios/*/findings.jsonl.
Exit status: 0 all valid and every deliberately broken sample refused, 1 not so, 77 no python3-jsonschema (1 where CI=true).
"""
import copy
import json
import os
import pathlib
import subprocess
import sys


def key_order(schema, value, path="finding"):
    """The schema's order is the contract's order: yields each object whose keys stand otherwise."""
    if isinstance(value, dict) and "properties" in schema:
        known = list(schema["properties"])
        places = [known.index(key) for key in value if key in known]
        if places != sorted(places):
            yield f"{path}: keys out of order: {list(value)}"
        for key, inner in value.items():
            yield from key_order(schema["properties"].get(key, {}), inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from key_order(schema.get("items", {}), inner, f"{path}[{index}]")


def broken(sample):
    """Near-misses of a valid finding: a schema that takes any of them is too wide."""
    changes = [
        ("an unknown key", lambda f: f.update(extra=1)),
        ("an unknown key of process", lambda f: f["process"].update(shell="sh")),
        ("no id", lambda f: f.pop("id")),
        ("no follows", lambda f: f.pop("follows")),
        ("a severity of ours no longer", lambda f: f.update(severity="warning")),
        ("a local time", lambda f: f.update(time="2026-11-25T02:00:10.666+01:00")),
        ("an event without serial", lambda f: f.update(events=["1795572010.666"])),
        ("a negative pid", lambda f: f["process"].update(pid=-1)),
        ("auid unset as a number beyond 32 bits", lambda f: f["process"].update(auid=2**32)),
        ("odd hex", lambda f: f.update(node_hex="abc")),
        ("a chain entry without event", lambda f: f["chain"][0].pop("event")),
        ("live: false", lambda f: f.update(live=False)),
        ("nothing shortened", lambda f: f.update(shortened=[])),
    ]
    for name, change in changes:
        finding = copy.deepcopy(sample)
        change(finding)
        yield name, finding


def main():
    schema_path, program, fixtures = sys.argv[1:4]
    try:
        import jsonschema
    except ImportError:
        print("SKIPPED: needs the package python3-jsonschema")
        return 1 if os.environ.get("CI") == "true" else 77
    schema = json.loads(pathlib.Path(schema_path).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    lines = [("sample", line) for line in subprocess.run([program], check=True, capture_output=True).stdout.splitlines()]
    samples = len(lines)
    if samples < 5:
        print(f"only {samples} samples: the program that renders them is broken")
        return 1
    for golden in sorted(pathlib.Path(fixtures).glob("scenarios/*/findings.jsonl")):
        lines += [(str(golden), line) for line in golden.read_bytes().splitlines()]

    failures = []
    for number, (source, line) in enumerate(lines, 1):
        finding = json.loads(line.decode("utf-8", errors="strict"))
        failures += [f"{source}, finding {number}: {e.json_path}: {e.message}" for e in validator.iter_errors(finding)]
        failures += [f"{source}, finding {number}: {text}" for text in key_order(schema, finding)]
    for name, finding in broken(json.loads(lines[0][1])):
        if validator.is_valid(finding):
            failures.append(f"the schema takes a finding with {name}")

    for failure in failures:
        print(failure)
    print(f"{samples} samples, {len(lines) - samples} findings of fixtures, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
