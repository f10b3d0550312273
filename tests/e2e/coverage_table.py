"""The detection table of docs/detections.md (scripts/coverage): each recorded scenario under each profile of the rules."""
import json
import pathlib
import sys
import tempfile

import harness
from harness import SEVERITIES

BEGIN, END = "<!-- begin: scripts/coverage -->", "<!-- end -->"
DOCUMENT = harness.ROOT / "docs" / "detections.md"
HEAD = ["| scenario | what happens | expected | full rules | lean rules |", "|---|---|---|---|---|"]

# What the doctor calls the sight of a chain's kind; of a drop it is the way that the file came.
ROWS = {
    "child-shell": "child-shell",
    "download": "child-shell",
    "second-stage": "child-shell",
    "network": "network",
    "memfd": "memfd",
    "exec-memory": "exec-memory",
    "injection": "injection",
    "self-delete": "delete",
    "persistence": "drop/write",
    "module-drop": "load",
}
DROPS = {"create": "drop/write", "write": "drop/write", "unpack": "drop/write", "rename": "drop/rename", "link": "drop/link", "symlink": "drop/symlink", "chmod": "drop/chmod"}


def worst(findings):
    return max(findings, key=lambda finding: SEVERITIES.index(finding["severity"]), default=None)


def kinds(finding):
    return list(dict.fromkeys(entry["kind"] for entry in finding["chain"]))


def shown(finding):
    return f"**{finding['severity']}**" + (f" ({', '.join(kinds(finding))})" if finding["chain"] else "")


def expected(facts):
    if not facts["expect"]:
        return "nothing"
    severities = [wanted["severity"] for wanted in facts["expect"]]
    return max(severities, key=SEVERITIES.index)


def doctor(profile):
    """What the doctor says of this profile's rules, by row."""
    with tempfile.TemporaryDirectory() as folder:
        for file in sorted((harness.ROOT / "audit-rules").glob("*.rules")):
            text = file.read_text()
            if profile in text.split("## Profiles:", 1)[1].splitlines()[0].split():
                (pathlib.Path(folder) / file.name).write_text(text)
        report = json.loads(harness.run("doctor", "--rules", folder, "--profile", "full", "--format", "json").out)
    return {row["id"]: row for row in report["coverage"]}


def reason(rows, full, lean):
    """Why the lean rules show less: the doctor's words for the first thing that is missing."""
    if lean is None:
        if full["interpreter"]["identified_by"] == "copy":
            return "what the copier was told: no rule asks for its exec"
        row = rows["run-anywhere"]
        return f"{row['title']}: {'; '.join(row['why'])}"
    for entry in full["chain"]:
        if entry["kind"] not in kinds(lean):
            row = rows.get(ROWS.get(entry["kind"]) or DROPS.get(entry.get("how"), ""))
            if row and row["why"]:
                return f"{row['title']}: {'; '.join(row['why'])}"
            return f"{entry['kind']} does not show"
    return "less of its chain shows"


def cell(finding, facts):
    if finding is None:
        return "silent" if facts["kind"] == "benign" or not facts["expect"] else "**blind**"
    if facts["kind"] == "benign":
        return "silent" if finding["severity"] == "info" else f"**false: {finding['severity']}**"
    return shown(finding)


def rows():
    rows_of_lean = doctor("lean")
    for kind in ("attack", "benign"):
        for scenario in harness.scenarios():
            facts = scenario.facts
            if facts["kind"] != kind:
                continue
            full = worst(scenario.replayed.findings())
            lean_log = scenario.log.parent / "lean.log"
            lean = worst(harness.run("replay", "--format", "json", *facts.get("args", []), lean_log, cwd=scenario.log.parent).findings())
            text = cell(lean, facts)
            if full is not None and facts["kind"] == "attack" and (lean is None or SEVERITIES.index(lean["severity"]) < SEVERITIES.index(full["severity"])):
                text += f": {reason(rows_of_lean, full, lean)}"
            yield f"| `{scenario.name}` | {facts['story']} | {expected(facts) if kind == 'attack' else 'silence'} | {cell(full, facts)} | {text} |"


def main():
    table = "\n".join([BEGIN, *HEAD, *rows(), END])
    document = DOCUMENT.read_text(encoding="utf-8")
    start, end = document.index(BEGIN), document.index(END) + len(END)
    if "--check" in sys.argv:
        if document[start:end] != table:
            raise SystemExit("docs/detections.md is not what the recordings give: run scripts/coverage --write, and read what changed")
    elif "--write" in sys.argv:
        DOCUMENT.write_text(document[:start] + table + document[end:], encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main()
