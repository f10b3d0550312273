"""Checks of the tree itself: its include direction, its third parties' places, its goldens, its sizes, its documents, its
scripts.

Usage: check_tree.py CHECK [ROOT]      prints one line for each fault; exit status 1 when there is one, 77 when a tool is missing
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOMS = ["base", "audit", "source", "host", "inventory", "detect", "rules", "report", "setup", "plugin", "cli"]  # left to right; docs/design.md, "Rooms"

# What a room may include of a room to its right or, for source/, of one that it must otherwise not know.
EXCEPTIONS = {
    # A source yields records and must not know what they mean: of audit/ it sees the record alone.
    "source": {"audit": {"luatrail/audit/record.hpp"}},
}

# Where the headers of others may be included: prefixes of paths below src/ (never in include/: those are the contract between rooms).
THIRD_PARTY = {
    "CLI/": ["cli/"],
    "archive": ["source/"],
    "auparse.h": ["source/"],
    "boost/": ["report/", "plugin/", "base/asio.cpp"],  # asio.cpp compiles Asio once, for both
    "cap-ng.h": ["plugin/"],
    "seccomp.h": ["plugin/"],
    "libaudit.h": ["audit/", "source/", "rules/"],
    "nlohmann/": ["report/", "plugin/", "cli/", "source/journal_parser.cpp"],
    "toml++/": ["base/toml_reader."],
    "fmt/": [f"{room}/" for room in ROOMS],
    "openssl/": ["base/digest.cpp", "inventory/apk.cpp"],
    "zlib.h": ["base/inflate.cpp"],
}

# Each source has a header of its name, but for these. A command is one function, add_NAME, that nobody but the command line calls:
# cli/commands.hpp is the one table of them.
HEADLESS = {"base/asio", "cli/main", "cli/commands", "cli/baseline_command", "cli/completion_command", "cli/config_command", "cli/doctor", "cli/events", "cli/plugin_command",
            "cli/replay", "cli/rules_command", "cli/status_command"}

MAX_LINES = 450
MAX_COLUMNS = 100  # of a paragraph in a .md file; tables, headings and code are as wide as they are
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def sources(root):
    """Triples: path below src/ or include/luatrail/, whether it is public, the file itself."""
    for directory, public in (("src", False), ("include/luatrail", True)):
        for path in sorted((root / directory).rglob("*.[ch]pp")):
            yield path.relative_to(root / directory).as_posix(), public, path


def room_of(header, including):
    """The room that a quoted include names: luatrail/ROOM/x.hpp, ROOM/x.hpp (src/ is searched too) or a neighbour."""
    parts = header.removeprefix("luatrail/").split("/")
    if header.startswith("../"):
        return (Path(including).parent / header).resolve().relative_to(Path.cwd()).parts[0]
    return parts[0] if len(parts) > 1 else including.split("/")[0]


def includes(root):
    faults = []
    for name, _, path in sources(root):
        room = name.split("/")[0]
        if room not in ROOMS:
            faults.append(f"{path}: '{room}' is no room; the rooms are {' '.join(ROOMS)}")
            continue
        for mark, header in INCLUDE.findall(path.read_text()):
            if mark == "<" and not header.startswith("luatrail/"):
                continue
            other = room_of(header, name)
            if other not in ROOMS:
                faults.append(f"{path}: {header} is in no room")
            elif ROOMS.index(other) > ROOMS.index(room):
                faults.append(f"{path}: {room}/ includes {header}, from a room to its right")
            elif header not in EXCEPTIONS.get(room, {}).get(other, {header}):
                faults.append(f"{path}: {room}/ may include only {' '.join(sorted(EXCEPTIONS[room][other]))} of {other}/, not {header}")
    return faults


def third_party(root):
    faults = []
    for name, public, path in sources(root):
        for mark, header in INCLUDE.findall(path.read_text()):
            prefix = next((prefix for prefix in THIRD_PARTY if mark == "<" and header.startswith(prefix)), None)
            if prefix is None:
                if mark == "<" and "/" in header and not header.startswith(("luatrail/", "sys/", "linux/", "netinet/", "arpa/")):
                    faults.append(f"{path}: <{header}> is in no list; add it to THIRD_PARTY with the rooms that may include it")
            elif public:
                faults.append(f"{path}: <{header}> in a public header; keep it in a .cpp file")
            elif not name.startswith(tuple(THIRD_PARTY[prefix])):
                faults.append(f"{path}: <{header}> belongs in {' '.join(THIRD_PARTY[prefix])}")
    return faults


def code_of(path):
    """A source without its comments, and with the parts of a string literal joined."""
    return re.sub(r'"\s*\n\s*"', "", re.sub(r"//[^\n]*", "", path.read_text()))


def words(root):
    """detect/ keeps facts, in raw bytes; their words, and making them safe to show, are report/'s. Errors of the files that it reads are apart."""
    faults = []
    sentence = re.compile(r'"[^"\n]*[A-Za-z]{2,}[ ,:]+[A-Za-z]{2,} +[A-Za-z]{2,}[^"\n]*"')
    for name, _, path in sources(root):
        if not name.startswith("detect/"):
            continue
        code = code_of(path)
        faults += [f"{path}: {call}() is for report/" for call in ("printable", "shell_quoted") if re.search(rf"\b{call}\s*\(", code)]
        for statement in re.split(r"[;{}]\s*\n", code):
            found = sentence.search(statement)
            if found and not re.search(r"\bcomplain\(|Error\(", statement):
                faults.append(f"{path}: {found.group()} is for report/ to say")
    return faults


def without_bodies(code):
    """A header's code with the bodies of its functions emptied, and without string literals."""
    code = re.sub(r'"(\\.|[^"\\\n])*"', '""', code)
    start = re.compile(r"\)(?:\s*const)?(?:\s*noexcept)?(?:\s*override)?(?:\s*->\s*[\w:<>]+)?(?:\s*:\s*[^;{}]*(?:\{[^{}]*\}[^;{}]*)*)?\s*\{")
    kept, at = [], 0
    while found := start.search(code, at):
        kept.append(code[at:found.end()] + "}")
        at, depth = found.end(), 1
        while at < len(code) and depth:
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
    return "".join(kept) + code[at:]


# A function that is declared and neither defined nor pure nor a template.
DECLARATION = re.compile(r"(?<!>\n)^[ \t]*(?!return\b|using\b|static_assert|else\b|throw\b|#)(?:[\w:<>,&*\[\]~]+[ \t]+)*[\w:<>,&*~]+[ \t]*"
                         r"\((?:[^(){};]|\([^(){};]*\)|\{\})*\)(?: const)?(?: noexcept)?(?: override)?;", re.MULTILINE)


def headers(root):
    """Each source has a header of its name, public or beside it, and what a header declares is in the source of its name."""
    faults = []
    by_stem = {}
    for name, _, path in sources(root):
        by_stem.setdefault(name.removesuffix(path.suffix), {}).setdefault(path.suffix, []).append(path)
    for stem, files in by_stem.items():
        if stem in HEADLESS:
            continue
        if ".hpp" not in files:
            faults.append(f"{files['.cpp'][0]}: no header of its name")
        for path in files.get(".hpp", []):
            declared = DECLARATION.search(without_bodies(code_of(path)))
            if declared and ".cpp" not in files:
                faults.append(f"{path}: no source of its name, and declares {' '.join(declared.group().split())}")
    return faults


def goldens(root):
    """A log without a golden is compared by nobody. A package's has its inventory instead: all of it must be expected (packages_test.py)."""
    logs = [path for path in sorted((root / "fixtures").rglob("*")) if re.search(r"\.log(\.(gz|xz|zst|bz2))?$", path.name)]
    if not logs:
        return [f"{root}/fixtures: no recorded log at all"]
    return [f"{log}: no golden beside it; run scripts/update-goldens and read what it wrote" for log in logs
            if not [beside for beside in log.parent.iterdir() if beside.suffix in (".jsonl", ".json") or "golden" in beside.name or beside.name == "inventory"]]


def sizes(root):
    faults = []
    for _, _, path in sources(root):
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES:
            faults.append(f"{path}: {lines} lines (at most {MAX_LINES}): is it one thing?")
    return faults


def shell_scripts(root):
    """The scripts for people, and every other file that a shell runs."""
    found = []
    for directory in (".ci", "scripts", "tests", "fixtures"):
        for path in sorted((root / directory).rglob("*")):
            if not path.is_file():
                continue
            with path.open("rb") as script:
                start = script.readline()
            if re.match(rb"#!.*\b(ba)?sh\b|# shellcheck shell=", start):
                found.append(path)
    return found


def documents(root):
    """Paragraphs keep to one width, and what links and the table of facts in docs/design.md name is there."""
    faults = []
    for path in sorted([*root.glob("*.md"), *(root / "docs").glob("*.md"), *(root / "fixtures").glob("*.md")]):
        text = path.read_text(encoding="utf-8")
        code = False
        for number, line in enumerate(text.splitlines(), 1):
            code ^= line.lstrip().startswith("```")
            if len(line) > MAX_COLUMNS and not code and not line.startswith(("|", "#", "```")):
                faults.append(f"{path}:{number}: {len(line)} columns; wrap it at {MAX_COLUMNS}")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (path.parent / target).exists():
                faults.append(f"{path}: links to {target}, which is not there")
    design = root / "docs" / "design.md"
    facts = design.read_text(encoding="utf-8").partition("## Where to find what\n")[2].partition("\n## ")[0] if design.is_file() else ""
    for target in re.findall(r"`([a-z]+/[^`]*)`", facts):
        if not (root / target).exists():
            faults.append(f"{design}: names {target}, which is not there")
    return faults


def shellcheck(root):
    if not shutil.which("shellcheck"):
        print("no shellcheck on this system")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    scripts = shell_scripts(root)
    if not scripts:
        return [f"{root}: no shell script found"]
    done = subprocess.run(["shellcheck", "-x", "-P", str(root), "-f", "gcc", *map(str, scripts)], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def usage(root):
    """Each of scripts/ explains itself, from any directory, without doing anything."""
    faults = []
    for path in sorted((root / "scripts").iterdir()):
        if path not in shell_scripts(root) or not os.access(path, os.X_OK):
            continue
        done = subprocess.run([str(path), "-h"], cwd="/", capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0 or not done.stdout.startswith(f"Usage: {path.name}") or done.stderr:
            faults.append(f"{path}: -h ended with {done.returncode} and printed: {(done.stdout + done.stderr)[:80]!r}")
    return faults


CHECKS = {"includes": includes, "third-party": third_party, "words": words, "headers": headers, "goldens": goldens, "sizes": sizes, "documents": documents, "shellcheck": shellcheck, "usage": usage}


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in CHECKS:
        sys.exit(f"{__doc__}CHECK is one of: {' '.join(CHECKS)}")
    root = Path(sys.argv[2] if len(sys.argv) == 3 else Path(__file__).parents[2]).resolve()
    os.chdir(root)
    faults = CHECKS[sys.argv[1]](root)
    print("\n".join(str(fault).removeprefix(f"{root}/") for fault in faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
