"""What the end-to-end tests share: the program, the recorded scenarios, and one frozen environment for both.

The environment tells where the program is (CMakeLists.txt sets it): LUATRAIL (default: the release build's), and LUATRAIL_SANITIZED=1
for a build with sanitizers, which takes fewer scenarios where many were the same work again.
"""
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "fixtures" / "scenarios"
LUATRAIL = os.environ.get("LUATRAIL") or str(ROOT / "build" / "release" / "luatrail")
SANITIZED = os.environ.get("LUATRAIL_SANITIZED") == "1"
SEVERITIES = ["info", "low", "medium", "high", "critical"]
TIMEOUT = 120
STAMP = re.compile(rb"audit\((\d+)\.(\d{3}):(\d+)\)")


@functools.cache
def empty_home():
    directory = tempfile.TemporaryDirectory(prefix="luatrail-home-")
    unittest.addModuleCleanup(directory.cleanup)
    return directory.name


def environment(**more):
    """Nothing of who runs the tests shows in what they see; how sanitizers report is theirs to say."""
    kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LC_ALL": "C", "HOME": empty_home(), **kept, **more}


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    out: bytes
    err: str

    def findings(self):
        return [json.loads(line) for line in self.out.decode("utf-8", errors="strict").splitlines()]

    def ids(self):
        return [finding["id"] for finding in self.findings()]


def run(*arguments, program=None, **options):
    """Runs luatrail to its end. `options` are subprocess.run's; standard input is empty unless they say otherwise."""
    options.setdefault("env", environment())
    options.setdefault("timeout", TIMEOUT)
    options.setdefault("stdout", subprocess.PIPE)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([*(program or [LUATRAIL]), *map(str, arguments)], stderr=subprocess.PIPE, check=False, **options)
    return Result(done.returncode, done.stdout or b"", done.stderr.decode("utf-8", errors="strict"))


class Scenario:
    """A recording and what was thought of it before luatrail saw it (fixtures/README.md)."""

    def __init__(self, directory):
        self.directory = directory
        self.name = directory.name
        self.log = directory / "audit.log"
        self.golden = directory / "findings.jsonl"
        self.facts = tomllib.loads((directory / "scenario.toml").read_text(encoding="utf-8"))

    @property
    def baselines(self):
        arguments = self.facts.get("args", [])
        return [self.directory / value for option, value in zip(arguments, arguments[1:]) if option == "--baseline"]

    def lines(self):
        return self.log.read_bytes().splitlines(keepends=True)

    def replay(self, *more, log="audit.log", **options):
        """`luatrail replay --format json` in the scenario's directory, as the goldens are made."""
        logs = log if isinstance(log, (list, tuple)) else [log]
        return run("replay", "--format", "json", *self.facts.get("args", []), *more, *logs, cwd=self.directory, **options)

    @functools.cached_property
    def replayed(self):
        return self.replay()


@functools.cache
def scenarios():
    directories = sorted(path.parent for path in SCENARIOS.glob("*/scenario.toml"))
    assert len(directories) >= 20, f"{SCENARIOS}: the recordings are not there"
    return [Scenario(directory) for directory in directories]


def some_scenarios(step):
    """Each `step` / 3-th of them that say nothing on standard error, under sanitizers each 3 * `step`-th."""
    return [scenario for scenario in scenarios() if "says" not in scenario.facts][:: 3 * step if SANITIZED else max(1, step // 3)]


def scenario(name):
    return Scenario(SCENARIOS / name)


def event_id(line):
    """(milliseconds, serial) of a line's stamp; nothing when it has none."""
    match = STAMP.search(line)
    return (int(match[1]) * 1000 + int(match[2]), int(match[3])) if match else None


def event_id_of(text):
    """The same of an id as findings write it."""
    return event_id(b"audit(%s)" % text.encode())


def needs(program):
    """Skips where a program is missing, except in CI: there a skipped test would be a test that nobody runs."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        if os.environ.get("CI") == "true":
            raise AssertionError(f"{program} is not installed")
        raise unittest.SkipTest(f"{program} is not installed")
    return path


class TestCase(unittest.TestCase):
    maxDiff = 4000

    def directory(self):
        """An empty directory for this test, which every user may enter."""
        directory = tempfile.TemporaryDirectory(prefix="luatrail-e2e-")
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        return pathlib.Path(directory.name)

    def assert_same(self, result, expected, what):
        """The same findings, byte for byte, the same exit status, and no complaint."""
        self.assertEqual((result.out, result.status, result.err), (expected.out, expected.status, ""), what)
