"""The table of docs/packages.md (scripts/package-table)."""
import pathlib
import re
import tempfile
import tomllib

import harness
import packages_test

HEAD = """# Real packages

Each row is a Debian 12 package that legitimately runs Lua, in a session in which somebody works
with it: edits, lints, builds, installs, checks and loads configurations, replaces the package. It
was recorded under the kernel's audit with the full rules (`scripts/record-package`) and replayed
with its inventory and the baseline that `luatrail baseline build` makes from that. A star:
`fixtures/packages/NAME/baseline.toml` adds what no package database can say. Where there are
findings, `gap` in `fixtures/packages/NAME/scenario.toml` says why. "Runs of Lua" are those that
luatrail knows as such; the other packages have Lua inside, and only the program's own exec shows.
The last column: three recorded attacks were put into the same recording (a script in shared memory,
another user's drop, a copied interpreter), and so many of their severe findings are still there.
Written by `scripts/package-table`.

| package | what it does | events | runs of Lua | expected | findings | attacks' severe findings |
|---|---|---|---|---|---|---|"""


def number(pattern, text):
    return int(re.search(pattern, text)[1])


def row(package, case):
    story = tomllib.loads((package / "scenario.toml").read_text())["story"]
    arguments = case.baselines(package)
    log = package / "audit.log.xz"
    result = harness.run("replay", "--format", "json", "--stats", *arguments, log)
    runs = re.search(r"lua +runs: (\d+), of them expected: (\d+)", result.err)
    found = wanted = 0
    alone = len(case.severe(result.findings()))
    for name in packages_test.ATTACKS:
        attack = harness.scenario(name)
        found += len(case.severe(case.replay(arguments, case.mixed(package, attack)).findings())) - alone
        wanted += len(case.severe(attack.replayed.findings()))
    star = "\\*" if (package / "baseline.toml").exists() else ""
    events = number(r"events +(\d+) assembled", result.err)
    return f"| {package.name}{star} | {story} | {events} | {runs[1]} | {runs[2]} | {len(result.findings())} | {found} of {wanted} |"


def main():
    case = packages_test.PackagesTest()
    with tempfile.TemporaryDirectory() as directory:
        numbers = iter(range(10_000))

        def fresh():
            path = pathlib.Path(directory) / str(next(numbers))
            path.mkdir()
            return path

        case.directory = fresh
        print(HEAD)
        for package in packages_test.packages():
            print(row(package, case))


if __name__ == "__main__":
    main()
