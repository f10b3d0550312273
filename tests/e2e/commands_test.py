"""What each command says of itself, and what its options do: help, versions, the text for a person, ranges of time, counts."""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import tempfile
import termios
import unittest

import harness

COMMANDS = ((), ("replay",), ("events",), ("plugin",), ("rules",), ("doctor",), ("status",), ("inventory",), ("inventory", "build"), ("inventory", "show"), ("inventory", "owner"), ("baseline",), ("baseline", "build"), ("baseline", "learn"), ("baseline", "check"), ("baseline", "explain"), ("config",), ("config", "check"), ("completion",))
TWO_RUNS = "drop-one-run-other"
DROPPED = "drop-other-user"
ODD_NAMES = "names-odd"
ESCAPE = re.compile(rb"\x1b\[[0-9;]*m")


def on_terminal(*arguments, columns=100, **more):
    """The bytes that a terminal would get: standard output is one, standard error is not."""
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            [harness.LUATRAIL, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env=harness.environment(**{"TERM": "xterm-256color", **more}),
        )
        os.close(theirs)
        theirs = None
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        process.wait(timeout=harness.TIMEOUT)
        return shown.replace(b"\r\n", b"\n")
    finally:
        os.close(ours)
        if theirs is not None:
            os.close(theirs)


class HelpTest(unittest.TestCase):
    def test_a_reader_that_leaves_is_no_error(self):
        process = subprocess.Popen([harness.LUATRAIL, "rules"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.environment())
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(timeout=harness.TIMEOUT), said), (2, b""))

    def test_each_command_tells_its_usage(self):
        for words in COMMANDS:
            for option in ("--help", "-h"):
                with self.subTest(words=words, option=option):
                    result = harness.run(*words, option)
                    self.assertEqual((0, ""), (result.status, result.err))
                    text = result.out.decode()
                    self.assertIn(" ".join(("Usage: luatrail", *words)), text)
                    self.assertIn("--help", text)
                    self.assertLessEqual(max(map(len, text.splitlines())), 125)
                    self.assertNotIn("\x1b", text)

    def test_each_command_tells_its_own_exit_status(self):
        of_all = harness.run("--help").out.decode().partition("Exit status of replay: ")[2]
        self.assertTrue(of_all)
        for words in COMMANDS:
            text = harness.run(*words, "--help").out.decode()
            if "SUBCOMMAND" not in text:
                with self.subTest(words=words):
                    self.assertEqual(1, text.count("Exit status"))
                    self.assertRegex(text, r"(?m)^Exit status: 0 .*2 ")

    def test_each_command_tells_the_version(self):
        project = (harness.ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
        version = re.search(r"project\(luatrail\s+VERSION\s+([\d.]+)", project)[1]
        for words in COMMANDS:
            for option in ("--version", "-V"):
                with self.subTest(words=words, option=option):
                    result = harness.run(*words, option)
                    self.assertEqual((0, f"luatrail {version}\n", ""), (result.status, result.out.decode(), result.err))

    def test_without_a_command_the_help_is_shown(self):
        result = harness.run()
        self.assertEqual(2, result.status)
        self.assertEqual(harness.run("--help").out, result.out)

    def test_help_into_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(2, harness.run("--help", stdout=full).status)


class TextTest(unittest.TestCase):
    def replay(self, name, *more, **options):
        scenario = harness.scenario(name)
        return harness.run("replay", *more, scenario.log, **options)

    def test_a_person_reads_the_whole_story(self):
        """The README shows what the demo prints, which is this text."""
        shown = self.replay("shm-luajit-relative").out.decode()
        self.assertIn("```\n" + shown.rstrip("\n") + "\n```", (harness.ROOT / "README.md").read_text(encoding="utf-8"))

    def test_one_closing_line_counts(self):
        result = self.replay(DROPPED)
        self.assertEqual("luatrail: 1 finding: 1 high in 32 events\n", result.err)
        self.assertEqual("luatrail: no finding in ", self.replay("editor-save").err[:24])
        self.assertEqual("", self.replay(DROPPED, "--quiet").err)
        self.assertEqual("", self.replay(DROPPED, "--format", "json").err)

    def test_colour_is_for_terminals(self):
        scenario = harness.scenario(DROPPED)
        plain = self.replay(DROPPED).out
        self.assertNotIn(b"\x1b", plain)
        coloured = on_terminal("replay", scenario.log, columns=80)
        self.assertIn(b"\x1b[", coloured)
        self.assertEqual(plain, ESCAPE.sub(b"", coloured))
        self.assertEqual(plain, on_terminal("replay", scenario.log, columns=80, NO_COLOR="1"))
        self.assertEqual(plain, on_terminal("replay", scenario.log, columns=80, TERM="dumb"))
        self.assertEqual(ESCAPE.sub(b"", coloured), ESCAPE.sub(b"", on_terminal("replay", scenario.log, columns=80, NO_COLOR="")))
        json_lines = on_terminal("replay", "--format", "json", scenario.log)
        self.assertEqual(scenario.golden.read_bytes(), json_lines)

    def test_lines_keep_to_the_terminal(self):
        for columns in (40, 60, 100):
            shown = ESCAPE.sub(b"", on_terminal("replay", harness.scenario(DROPPED).log, columns=columns)).decode()
            with self.subTest(columns=columns):
                long = [line for line in shown.splitlines() if len(line) > columns and " " in line.strip()[:columns]]
                self.assertEqual([], [line for line in long if len(max(line.split(), key=len)) + 8 < columns])

    def test_names_that_attack_the_terminal_are_shown_escaped(self):
        for shown in (self.replay(ODD_NAMES).out, on_terminal("replay", harness.scenario(ODD_NAMES).log)):
            text = ESCAPE.sub(b"", shown).decode("utf-8")
            for character in text:
                self.assertTrue(character == "\n" or ord(character) >= 32 and ord(character) not in range(127, 160), repr(character))


class RangeTest(unittest.TestCase):
    """--since and --until choose findings by the time of their run; what was before still counts as their history."""

    def setUp(self):
        self.scenario = harness.scenario(DROPPED)
        self.found = self.scenario.replayed.findings()
        self.assertEqual(1, len(self.found))
        self.time = self.found[0]["time"]

    def replay(self, *more):
        return harness.run("replay", "--format", "json", *more, self.scenario.log)

    def test_limits_are_inclusive(self):
        run = harness.event_id_of(self.found[0]["events"][0])
        seconds, millis = divmod(run[0], 1000)

        def at(shift):
            total = seconds * 1000 + millis + shift
            return "@%d.%03d" % divmod(total, 1000)

        for options, count in (
            (("--since", self.time), 1),
            (("--until", self.time), 1),
            (("--since", at(0), "--until", at(0)), 1),
            (("--since", at(1)), 0),
            (("--until", at(-1)), 0),
        ):
            with self.subTest(options=options):
                result = self.replay(*options)
                self.assertEqual((count, "", count), (len(result.findings()), result.err, result.status))

    def test_the_drop_before_the_range_is_still_known(self):
        self.assertEqual(self.scenario.golden.read_bytes(), self.replay("--since", self.time).out)

    def test_events_are_chosen_alike(self):
        everything = harness.run("events", "--quiet", self.scenario.log).out.splitlines()
        since = harness.run("events", "--quiet", "--since", self.time, self.scenario.log).out.splitlines()
        until = harness.run("events", "--quiet", "--until", self.time, self.scenario.log).out.splitlines()
        self.assertTrue(0 < len(since) < len(everything))
        at = [line for line in everything if line in since and line in until]
        self.assertEqual(len(everything), len(since) + len(until) - len(at))

    def test_the_window(self):
        age = self.found[0]["chain"][0]["age_ms"]
        self.assertGreater(age, 1)
        short = self.replay("--window", f"{age - 1}ms").findings()
        self.assertEqual([], [entry["kind"] for entry in short[0]["chain"]])
        self.assertEqual(self.found, self.replay("--window", f"{age}ms").findings())

    def test_the_least_severity(self):
        self.assertEqual("high", self.found[0]["severity"])
        for level, count in (("info", 1), ("medium", 1), ("high", 1), ("critical", 0)):
            with self.subTest(level=level):
                result = self.replay("--min-severity", level)
                self.assertEqual((count, count), (result.status, len(result.findings())))

    def test_a_node(self):
        with tempfile.TemporaryDirectory() as directory:
            both = pathlib.Path(directory) / "both.log"
            lines = self.scenario.lines()
            both.write_bytes(b"".join(b"node=web01 " + line + line for line in lines))
            counts = {}
            for node in ("web01", "", "other"):
                result = harness.run("replay", "--format", "json", "--node", node, both)
                counts[node] = [finding["node"] for finding in result.findings()]
            self.assertEqual({"web01": ["web01"], "": [None], "other": []}, counts)
            self.assertEqual(2, len(harness.run("replay", "--format", "json", both).findings()))


class EventsTest(unittest.TestCase):
    def test_execs_are_a_part_of_all_events(self):
        log = harness.scenario(DROPPED).log
        everything = harness.run("events", log)
        execs = harness.run("events", "--exec", log)
        self.assertEqual((0, 0), (everything.status, execs.status))
        listed = everything.out.splitlines()
        chosen = execs.out.splitlines()
        self.assertEqual(chosen, [line for line in listed if json.loads(line)["call"] in ("execve", "execveat")])
        for line in chosen:
            event = json.loads(line)
            self.assertEqual(event["success"] == "yes", event["argv"] is not None)

    def test_what_is_no_text_is_told_in_hex(self):
        raw = False
        for line in harness.run("events", "--exec", harness.scenario("name-not-utf8").log).out.splitlines():
            event = json.loads(line)
            if event.get("argv_hex"):
                raw = raw or any(word and bytes.fromhex(word) for word in event["argv_hex"])
        self.assertTrue(raw)


class StatsTest(unittest.TestCase):
    def stats(self, *arguments, **options):
        result = harness.run(*arguments, "--stats", **options)
        return result, dict(line.split(None, 1) for line in result.err.splitlines() if not line.startswith(" "))

    def test_what_was_read_assembled_and_judged(self):
        scenario = harness.scenario(DROPPED)
        result, rows = self.stats("replay", "--format", "json", scenario.log)
        self.assertEqual(1, result.status)
        self.assertEqual(scenario.golden.read_bytes(), result.out)
        lines = len(scenario.lines())
        self.assertTrue(rows["read"].startswith(f"{scenario.log.stat().st_size} bytes, {lines} lines, {lines} records in "), rows)
        self.assertEqual("0 lines", rows["malformed"])
        self.assertEqual("7 successful, 3 failed", rows["execs"])
        self.assertEqual("runs: 1, of them expected: 0; calls that run no code: 0", rows["lua"])
        self.assertEqual("0 info, 0 low, 0 medium, 1 high, 0 critical", rows["findings"])

    def test_every_line_of_every_log_is_a_record_or_malformed(self):
        """Nothing is lost silently, whatever the file: also third-party logs, where they are."""
        corpus = pathlib.Path(os.environ.get("LUATRAIL_CORPUS") or harness.ROOT.parent / "shared" / "corpus")
        logs = [path for path in sorted(corpus.rglob("*")) if path.is_file() and "truth" not in path.parts]
        logs += [scenario.log for scenario in harness.some_scenarios(8)]
        counts = re.compile(r"(\d+) bytes, (\d+) lines, (\d+) records")
        for path in logs:
            for parser in ("native", "auparse"):
                with self.subTest(path=path.name, parser=parser):
                    bad = tempfile.NamedTemporaryFile()
                    result, rows = self.stats("events", "--parser", parser, "--bad-lines", bad.name, path)
                    if "read" not in rows:  # refused as a whole
                        self.assertEqual(2, result.status, result.err)
                        continue
                    size, lines, records = map(int, counts.match(rows["read"]).groups())
                    malformed = int(rows["malformed"].split()[0])
                    self.assertEqual(path.stat().st_size, size)
                    self.assertEqual(lines, records + malformed, rows)
                    blank = [line for line in path.read_bytes().split(b"\n") if not line.strip(b"\r\n")]
                    self.assertEqual(len(path.read_bytes().split(b"\n")) - len(blank), lines)
                    self.assertEqual(malformed, bad.read().count(b"\n"))


if __name__ == "__main__":
    unittest.main()
