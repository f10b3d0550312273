"""What scripts/coverage writes: the tables of docs/detections.md (evasions, and each recorded scenario under each profile of
the rules), and the README's figures."""
import dataclasses
import json
import pathlib
import sys
import tempfile

import harness
from harness import SEVERITIES

END = "<!-- end -->"
DOCUMENT = harness.ROOT / "docs" / "detections.md"
README = harness.ROOT / "README.md"
SCENARIOS = ["| scenario | what happens | expected | full rules | lean rules |", "|---|---|---|---|---|"]
EVASIONS = ["| attack shape | what luatrail goes by | full rules | lean rules | recordings |", "|---|---|---|---|---|"]

# Shapes of attacks that try not to be found: what luatrail goes by, and the recordings that show it.
SHAPES = (
    ("the script is renamed after its drop, once or a hundred times", "the inode", "rename-mv rename-old-file rename-storm"),
    ("it is run by a hard link or a symbolic link, or an old link is pointed at it", "the inode", "hard-link symlink symlink-swap"),
    ("it is bound over an old script", "the inode that the interpreter opens", "script-bind-mount"),
    ("it is dropped by openat2, a nameless file, a directory descriptor, or a 32-bit program", "the records of these calls",
     "openat2 tmpfile-link dirfd-new-folder dirfd-old-folder drop-32bit"),
    ("its content is old, and only a chmod, a rename or an append is new", "each of them is a drop", "chmod-arms rename-old-file append-old-file"),
    ("one user, process or thread drops, another runs", "the file; `same_tree` says which it was",
     "drop-other-user orphan thread-exec pid-namespace"),
    ("it is run through sudo, su, cron, at, ssh, nsenter or runc", "the process that runs Lua", "sudo-run login-user cron-run at-run ssh-login nsenter-run runc-exec"),
    ("the name holds newlines, quotes, record ends or bytes that are not UTF-8", "decoded bytes", "names-odd name-not-utf8 name-parent-relative"),
    ("300 other files are dropped between drop and run", "the ledger keeps them within its memory", "junk-drops"),
    ("code comes from a pipe, a here-document or a descriptor", "no file is behind the run", "stdin-dash stdin-bare here-doc process-substitution fd-deleted-script"),
    ("the script is in a memfd", "the descriptor's file", "memfd-script"),
    ("the script is executed by its descriptor", "the inode", "execveat-shebang"),
    ("an old script loads dropped code", "what the interpreter opens", "module-drop dofile-dropped c-module-dropped"),
    ("`LUA_INIT` names a dropped file", "what the interpreter opens", "lua-init"),
    ("the code is bytecode without an extension", "the file, not its content", "bytecode"),
    ("the interpreter is copied or linked under another name", "who copied what", "interpreter-copy interpreter-cat interpreter-dd interpreter-two-copies interpreter-hardlink"),
    ("an interpreter is downloaded or unpacked", "the file and its name", "interpreter-download interpreter-tar"),
    ("it goes through an archive from one shell to another", "who read it, and whose words name what that wrote", "interpreter-two-archivers"),
    ("it has the name of a hard link that is older than the log", "the rules' key, which goes by the file", "interpreter-old-link"),
    ("the interpreter is deleted before it is executed", "the kernel's ` (deleted)`", "interpreter-deleted"),
    ("the interpreter is in a memfd and calls itself one", "argv[0]", "memfd-interpreter"),
    ("the interpreter is bound over another name", "the inode", "interpreter-bind-mount"),
    ("the interpreter gives itself another name", "the program's path", "argv0-lies"),
    ("the dynamic loader runs the interpreter, by its name or an old link's", "the loader's argument, and the file that it opens", "loader loader-old-link"),
    ("the code lies where the kernel shows a file", "the path", "proc-environ"),
    ("an expected job is changed shortly before it runs", "a drop counts in an expected run too", "expected-job-tampered"),
    ("code stands beside an expected script, on the command line or on standard input", "an expectation covers no more than it names", "expected-and-inline expected-and-stdin"),
    ("an overlay or a bind mount puts another file at an expected path", "device and inode of what is opened", "expected-overlay expected-bind-mount"),
    ("an expected script runs a file that it was given", "what it then does and did not do before", "expected-runs-given-file"),
    ("another program is bound over the package manager", "the inode that ran under another name", "manager-bind-mount"),
    ("a run's pid is used again", "the event that made the process", "pid-reuse"),
    ("the script removes itself", "the removal", "self-delete"),
)

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
    with tempfile.TemporaryDirectory() as directory:
        for file in sorted((harness.ROOT / "audit-rules").glob("*.rules")):
            text = file.read_text()
            if profile in text.split("## Profiles:", 1)[1].splitlines()[0].split():
                (pathlib.Path(directory) / file.name).write_text(text)
        report = json.loads(harness.run("doctor", "--rules", directory, "--profile", "full", "--format", "json").out)
    return {row["id"]: row for row in report["coverage"]}


def reason(rows, full, lean):
    """Why the lean rules show less: the doctor's words for the first thing that is missing."""
    if lean is None and full["expectation"]["verdict"] == "expected":  # what it was given counts by what it then does
        after = [rows[ROWS[entry["kind"]]] for entry in full["chain"] if entry["kind"] in ("child-shell", "download", "network")]
        return next(f"{row['title']}: {'; '.join(row['why'])}" for row in after if row["why"])
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


def lean_findings(scenario):
    log = scenario.log.parent / "lean.log"
    return harness.run("replay", "--format", "json", *scenario.facts.get("args", []), log, cwd=scenario.log.parent).findings()


@dataclasses.dataclass(frozen=True)
class Seen:
    """The worst finding of a scenario under each profile; nothing: none."""

    scenario: harness.Scenario
    full: dict | None
    lean: dict | None


def scenario_rows(seen):
    rows_of_lean = doctor("lean")
    for kind in ("attack", "benign"):
        for one in seen.values():
            facts = one.scenario.facts
            if facts["kind"] != kind:
                continue
            text = cell(one.lean, facts)
            if one.full is not None and facts["kind"] == "attack" and rank(one.lean) < rank(one.full):
                text += f": {reason(rows_of_lean, one.full, one.lean)}"
            yield f"| `{one.scenario.name}` | {facts['story']} | {expected(facts) if kind == 'attack' else 'silence'} | {cell(one.full, facts)} | {text} |"


def rank(finding):
    return -1 if finding is None else SEVERITIES.index(finding["severity"])


def verdicts(findings):
    """The severities of an attack shape's recordings, each once, the worst first."""
    ordered = sorted(findings, key=rank, reverse=True)
    return ", ".join(dict.fromkeys("**blind**" if finding is None else finding["severity"] for finding in ordered))


def evasion_rows(seen):
    for shape, means, names in SHAPES:
        ones = [seen[name] for name in names.split()]
        recordings = ", ".join(f"`{one.scenario.name}`" for one in ones)
        yield f"| {shape} | {means} | {verdicts([one.full for one in ones])} | {verdicts([one.lean for one in ones])} | {recordings} |"


def figures(seen):
    """How many recordings of attacks and of everyday work there are, and what is found of them."""
    attacks = [one for one in seen.values() if one.scenario.facts["kind"] == "attack"]
    benign = [one for one in seen.values() if one.scenario.facts["kind"] == "benign"]

    def count(ones, profile, test):
        return sum(1 for one in ones if test(rank(getattr(one, profile))))

    def row(words, ones, test):
        return f"| {words} | {count(ones, 'full', test)} | {count(ones, 'lean', test)} |"

    medium = SEVERITIES.index("medium")
    yield f"| {len(attacks)} recorded attacks | full rules | lean rules |"
    yield "|---|---|---|"
    yield row("blind: nothing is reported", attacks, lambda found: found < 0)
    yield row("only told (info or low)", attacks, lambda found: 0 <= found < medium)
    yield row("medium", attacks, lambda found: found == medium)
    yield row("high or critical", attacks, lambda found: found > medium)
    yield ""
    full, lean = (count(benign, profile, lambda found: found > 0) for profile in ("full", "lean"))
    yield f"Of {len(benign)} recordings of everyday work, {full} have a finding above info under the full rules, {lean}"
    yield "under the lean ones."


def replaced(text, name, lines):
    begin = f"<!-- begin: scripts/coverage, {name} -->"
    start = text.index(begin)
    return text[:start] + "\n".join([begin, *lines, END]) + text[text.index(END, start) + len(END) :]


def main():
    seen = {one.name: Seen(one, worst(one.replayed.findings()), worst(lean_findings(one))) for one in harness.scenarios()}
    parts = (
        (DOCUMENT, "evasions", [*EVASIONS, *evasion_rows(seen)]),
        (DOCUMENT, "scenarios", [*SCENARIOS, *scenario_rows(seen)]),
        (README, "figures", list(figures(seen))),
    )
    stale = set()
    for document, name, lines in parts:
        text = document.read_text(encoding="utf-8")
        made = replaced(text, name, lines)
        if made != text:
            stale.add(document.name)
        if "--write" in sys.argv:
            document.write_text(made, encoding="utf-8")
        elif "--check" not in sys.argv:
            print("\n".join(lines))
    if "--check" in sys.argv and stale:
        raise SystemExit(f"{', '.join(sorted(stale))}: not what the recordings give: run scripts/coverage --write, and read what changed")


if __name__ == "__main__":
    main()
