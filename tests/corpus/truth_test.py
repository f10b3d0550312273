#!/usr/bin/env python3
"""`luatrail events --exec` beside what an independent assembler says of third-party logs, with both parsers.

The logs are not part of the project: they lie in LUATRAIL_CORPUS, or in shared/corpus beside the project's directory. Without them the
test is skipped, except with CI=true.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LUATRAIL = os.environ.get("LUATRAIL") or str(ROOT / "build" / "release" / "luatrail")
CORPUS = pathlib.Path(os.environ.get("LUATRAIL_CORPUS") or ROOT.parent / "shared" / "corpus")
FIELDS = ("node", "arch", "call", "success", "exit", "pid", "ppid", "comm", "exe", "argc", "argv", "gaps", "cwd", "paths", "nrec")

HEADER = re.compile(rb"^(?:node=(\S+) )?type=(\S+) (?:msg=)?audit\((\d+\.\d+:\d+)\):? ?(.*)$")

# Where the reference is wrong, case by case: file, id, fields, and why. Each must be needed.
QUOTED = "this log's writer put literal values in quotes; the reference keeps them as part of the value"
TWICE = "the log holds this PATH record twice, byte for byte (the same item): the reference lists it twice"
NOT_AT_THE_START = "a relay's header stands before the record; the reference reads only lines that begin with it"
PPC = "arch=14 is 32-bit PowerPC (EM_PPC), where 11 is execve; the reference's table has no PowerPC"
CASES = (
    ("threathunters-io+laurel/src_testdata_record-weblogic.txt", "1734013587.483:2679223", ("success", "paths"), QUOTED),
    ("threathunters-io+laurel/src_testdata_shell-proc-trace-confusion.txt", "1697091525.582:2588684", ("success", "paths"), QUOTED),
    ("threathunters-io+laurel/src_testdata_shell-proc-trace-confusion.txt", "1697091526.189:2637841", ("success", "paths"), QUOTED),
    ("threathunters-io+laurel/src_testdata_shell-proc-trace-confusion.txt", "1697091526.345:2638014", ("success", "paths"), QUOTED),
    ("threathunters-io+laurel/src_testdata_shell-proc-trace-confusion.txt", "1697091526.357:2638035", ("success", "paths"), QUOTED),
    ("threathunters-io+laurel/src_testdata_shell-proc-trace-confusion.txt", "1697091526.357:2638036", ("success", "paths"), QUOTED),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519801.338:44605", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519896.824:44603", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519896.826:44604", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519896.829:44609", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519900.159:44606", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519900.161:44607", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519900.163:44608", ("paths",), TWICE),
    ("linux-audit-mailing-list/delayed_event_44609_order.log", "1609519900.170:44611", ("paths",), TWICE),
    ("misc-shapes/kmsg_journal_loongarch64_truncated_execve.log", "1744579346.112:420113767", ("event",), NOT_AT_THE_START),
    ("vxcontrol+xp-rules/syslog_raw_all.log", "1465906742.934:288", ("event",), NOT_AT_THE_START),
    ("vxcontrol+xp-rules/syslog_raw_all.log", "1465907033.610:106", ("event",), NOT_AT_THE_START),
    ("vxcontrol+xp-rules/syslog_raw_all.log", "1465907920.868:539", ("event",), NOT_AT_THE_START),
    ("SELinuxProject+selinux/python_audit2allow_test.log", "1164783469.561:109", ("event",), PPC),
    ("fedora-selinux+setroubleshoot/framework_test_data_audit_samba_share.log", "1164783469.561:109", ("event",), PPC),
    (
        "osquery+osquery/netlink_numeric_types.log", "1502125323.756:6", ("call",),
        "the log lost a blank (syscall=59success=yes): what it says is shown as it is; the EXECVE record makes it an exec",
    ),
)  # fmt: skip
EXCEPTIONS = {(file, ident, field): why for file, ident, fields, why in CASES for field in fields}


def ours_text(event, key):
    """The bytes of one of our strings."""
    if event.get(key + "_hex"):
        return bytes.fromhex(event[key + "_hex"])
    return None if event[key] is None else event[key].encode()


def ours_texts(event, key):
    if event[key] is None:
        return None
    hexes = event.get(key + "_hex") or [None] * len(event[key])
    return [bytes.fromhex(raw) if raw else text.encode() for text, raw in zip(event[key], hexes)]


def number(text):
    return None if text is None else int(text)


def latin(text):
    return None if text is None else text.encode("latin1")


def ours(event):
    return {
        **{key: event[key] for key in ("node", "arch", "success", "exit", "pid", "ppid", "argc")},
        "call": event["call"] or None,
        "comm": ours_text(event, "comm"),
        "exe": ours_text(event, "exe"),
        "cwd": ours_text(event, "cwd"),
        "argv": ours_texts(event, "argv"),
        "gaps": event.get("missing") or [],
        "paths": [(p["item"], ours_text(p, "name"), p["inode"], p["nametype"] or None) for p in event["paths"]],
        "nrec": event["records"],
    }


def reference(event):
    return {
        **{key: event[key] for key in ("node", "arch", "call", "success", "argc", "gaps")},
        **{key: number(event[key]) for key in ("exit", "pid", "ppid")},
        **{key: latin(event[key]) for key in ("comm", "exe", "cwd")},
        "argv": None if event["argv"] is None else [latin(word) for word in event["argv"]],
        "paths": [(p["item"], latin(p["name"]), number(p["inode"]), p["nametype"]) for p in event["paths"]],
    }


def record_counts(path):
    """The records of each event as we count them: without EOE, which ends an event and is not part of it, and once where a log holds
    one twice. The reference counts both."""
    records = {}
    for line in path.read_bytes().split(b"\n"):
        match = HEADER.match(line.rstrip(b"\r"))
        if match and match[2] not in (b"EOE", b"1320"):
            node = match[1].decode() if match[1] else None
            body = match[4].split(b"\x1d")[0]
            records.setdefault((node, match[3].decode()), set()).add((match[2], body))
    return {key: len(value) for key, value in records.items()}


def events_of(path, parser):
    done = subprocess.run(
        [LUATRAIL, "events", "--exec", "--quiet", "--parser", parser, path], capture_output=True, check=False, timeout=120
    )
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def keyed(events, convert):
    return {(event["node"], event["id"]): convert(event) for event in events}


def differences(name, truth, found):
    """(file, id, field, reference's, ours)"""
    for key in truth.keys() | found.keys():
        if key not in found or key not in truth:
            yield name, key[1], "event", key in truth, key in found
            continue
        for field in FIELDS:
            if truth[key][field] != found[key][field]:
                yield name, key[1], field, truth[key][field], found[key][field]


def logs():
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file() and "truth" not in path.parts and path.suffix not in (".py", ".md"):
            yield path, str(path.relative_to(CORPUS))


def main():
    if not (CORPUS / "truth").is_dir():
        print(f"{CORPUS}: the corpus of third-party logs is not there")
        return 1 if os.environ.get("CI") == "true" else 77
    bad, compared, used = 0, 0, set()
    for path, name in logs():
        expected = CORPUS / "truth" / (name.replace("/", "__") + ".exec.jsonl")
        lines = expected.read_text().splitlines() if expected.exists() else []
        truth = keyed(map(json.loads, lines), reference)
        counts = record_counts(path) if truth else {}
        for key, event in truth.items():
            event["nrec"] = counts.get(key)
        for parser in ("native", "auparse"):
            found = keyed(events_of(path, parser), ours)
            compared += len(truth)
            for difference in sorted(differences(name, truth, found), key=repr):
                if difference[:3] in EXCEPTIONS:
                    used.add(difference[:3])
                    continue
                bad += 1
                print(f"{parser}: %s %s %s: the reference says %.300r, luatrail %.300r" % difference)
    for needless in EXCEPTIONS.keys() - used:
        bad += 1
        print(f"an exception that is not needed: {needless}")
    print(f"{compared} execs compared, {bad} differences, {len(EXCEPTIONS)} exceptions")
    return 1 if bad or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
