"""Bad input: one clear line on standard error that names the thing and the remedy, the designed exit status, the rest still done."""
import gzip
import os
import shutil
import subprocess
import unittest

import harness

GOOD = harness.scenario("drop-other-user")
CLOSING = "luatrail: 1 finding: 1 high in 32 events\n"
NO_FINDING = "luatrail: no finding in {} events\n"


def replay(*arguments, **options):
    options.setdefault("cwd", GOOD.directory)
    return harness.run("replay", *arguments, **options)


class Paths(harness.TestCase):
    def check_path(self, path, line, findings=0, **options):
        """`line` without the path. The good log beside it is still judged."""
        alone = replay("--format", "json", path, **options)
        self.assertEqual((alone.status, len(alone.findings()), alone.err), (2, findings, f"luatrail: {path}: {line}\n"))
        both = replay("--format", "json", path, "audit.log", **options)
        self.assertEqual((both.status, both.err), (2, alone.err))
        self.assertTrue(set(GOOD.replayed.ids()) <= set(both.ids()))

    def test_missing(self):
        self.check_path(self.directory() / "audit.log", "No such file or directory; check the path; '-' reads standard input")

    def somebody_else(self):
        """Options that run the program without root's rights; the tree itself may lie where only root comes."""
        options = {"cwd": "/", "env": harness.environment(HOME="/")}
        if os.geteuid() != 0:
            return options
        place = self.directory()
        place.chmod(0o755)
        program = shutil.copy(harness.LUATRAIL, place / "luatrail")
        return {**options, "program": [program], "user": 65534, "group": 65534}

    def test_unreadable(self):
        directory = self.directory()
        log = directory / "audit.log"
        log.write_bytes(GOOD.log.read_bytes())
        log.chmod(0)
        result = replay("--format", "json", log, **self.somebody_else())
        self.assertEqual(
            (result.status, result.out, result.err),
            (2, b"", f"luatrail: {log}: Permission denied; run as root or as a member of the log's group\n"),
        )

    def test_a_directory_that_may_not_be_listed(self):
        directory = self.directory() / "audit"
        directory.mkdir()
        (directory / "audit.log").write_bytes(GOOD.log.read_bytes())
        directory.chmod(0)
        result = replay("--format", "json", directory, **self.somebody_else())
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn(f"luatrail: {directory}: Permission denied", result.err)
        self.assertEqual(result.err.count("\n"), 1)

    def test_a_directory_without_logs(self):
        directory = self.directory()
        (directory / "notes.txt").write_text("type=nothing\n")
        self.check_path(
            directory,
            "no audit logs in this directory; logs are named *.log, *.log.N, with .gz, .xz or .zst, or are archives",
        )

    def test_a_binary_file(self):
        log = self.directory() / "audit.log"
        log.write_bytes(b"\x7fELF\0\0\0\0" * 1000)
        self.check_path(log, "binary file; name an audit log, or an archive of audit logs")

    def test_an_empty_file(self):
        log = self.directory() / "audit.log"
        log.touch()
        self.check_path(log, "empty file; see whether auditd writes another one (log_file in auditd.conf)")

    def test_an_empty_path(self):
        result = replay("--format", "json", "")
        self.assertEqual((result.status, result.err), (2, "luatrail: '': an empty path; name a file or a directory\n"))

    def test_lines_that_are_no_records_are_told(self):
        scenario = harness.scenario("rename-mv")
        path = self.directory() / "audit.log"
        path.write_bytes(scenario.log.read_bytes() + b"one\ntwo\n")
        result = harness.run("replay", "--format", "json", path)
        self.assertRegex(result.err, r"^luatrail: 2 of [0-9]+ lines were not understood, 2 of them: no-record; --bad-lines FILE keeps them\n$")
        self.assertEqual("", harness.run("replay", "--quiet", path).err)

    def test_text_of_another_kind(self):
        log = self.directory() / "audit.log"
        log.write_text("Nov 25 02:00:10 web01 sshd[12]: Accepted publickey\n" * 6)
        self.check_path(
            log, "0 of 6 lines are audit records (no-record); give audit.log files, or `ausearch --raw` output"
        )

    def test_interpreted_output(self):
        log = self.directory() / "audit.log"
        log.write_text("type=CWD msg=audit(05/15/2019 16:28:38.510:1684) : cwd=/root \n" * 3)
        self.check_path(
            log,
            "0 of 3 lines are audit records (interpreted); this is `ausearch -i` output; "
            "save the log with `ausearch --raw` instead",
        )

    def test_a_truncated_gzip_file(self):
        """Everything before the cut counts: the finding is in it."""
        directory = self.directory()
        data = GOOD.log.read_bytes()
        filler = b"".join(
            b'type=CWD msg=audit(1795582000.000:%d): cwd="/%d"\n' % (number, number * 7919 % 100003) for number in range(3000)
        )
        packed = gzip.compress(data + filler, mtime=0)
        log = directory / "audit.log.gz"
        log.write_bytes(packed[: len(packed) * 3 // 4])
        size = log.stat().st_size
        self.check_path(
            log,
            f"truncated gzip input: read up to byte {size}; what stands before is read; fetch the file again for the rest",
            findings=1,
        )

    def test_a_damaged_archive(self):
        directory = self.directory()
        log = directory / "audit.log.xz"
        log.write_bytes(b"\xfd7zXZ\0" + b"\xff" * 100)
        result = replay("--format", "json", log)
        self.assertEqual((result.status, result.out, result.err.count("\n")), (2, b"", 1))
        self.assertTrue(result.err.startswith(f"luatrail: {log}: "), result.err)

    def test_several_bad_paths_are_each_named(self):
        result = replay("--format", "json", "/nonexistent/a", "audit.log", "/nonexistent/b")
        self.assertEqual((result.status, result.ids()), (2, GOOD.replayed.ids()))
        self.assertEqual([line.split(":")[1] for line in result.err.splitlines()], [" /nonexistent/a", " /nonexistent/b"])

    def test_malformed_lines_among_good_ones(self):
        directory = self.directory()
        bad = [b"no record at all", b"type=SYSCALL msg=audit(1795582000.000", b"type=CWD msg=audit(1.1:1): a\0b", b"\xff\xfe"]
        lines = GOOD.lines()
        log = directory / "audit.log"
        log.write_bytes(b"".join(line + bad[at % 4] + b"\n" for at, line in enumerate(lines)))
        kept = directory / "kept"
        for parser in ("native", "auparse"):
            result = replay("--format", "json", "--stats", "--bad-lines", kept, "--parser", parser, log)
            self.assertEqual((result.out, result.status), (GOOD.replayed.out, 1))
            self.assertEqual(kept.read_bytes(), b"".join(bad[at % 4] + b"\n" for at in range(len(lines))))
            counts = [sum(at % 4 == kind for at in range(len(lines))) for kind in range(4)]
            self.assertIn(f"malformed  {sum(counts)} lines, no-record {counts[0] + counts[3]}, bad-stamp {counts[1]}, nul-byte {counts[2]}\n", result.err)


class Arguments(harness.TestCase):
    def test_wrong_usage(self):
        for arguments, line in (
            (["replay", "--basline", "x", "audit.log"], "unknown option --basline: did you mean `--baseline`?; see `luatrail replay --help`"),
            (["replay", "--windw=10m", "audit.log"], "unknown option --windw: did you mean `--window`?; see `luatrail replay --help`"),
            (["events", "--exce", "audit.log"], "unknown option --exce: did you mean `--exec`?; see `luatrail events --help`"),
            (["replya"], "unknown command replya: did you mean `replay`?; see `luatrail --help`"),
            (["findings"], "unknown command findings: known here: replay, plugin, events, inventory, baseline, rules, doctor, status, config, completion; see `luatrail --help`"),
            (["config", "chekc"], "unknown command chekc: did you mean `check`?; see `luatrail config --help`"),
            (["plugin", "extra"], "unexpected argument extra; see `luatrail plugin --help`"),
            (["replay", "--stat"], "unknown option --stat: did you mean `--stats`?; see `luatrail replay --help`"),
            (["replay"], "PATH is required; see `luatrail replay --help`"),
            (["replay", "--window", "10x", "audit.log"], '--window: "10x" is no duration; write a number and a unit, as in 30s, 10m or 2h; see `luatrail replay --help`'),
            (["replay", "--since", "yesterdayish", "audit.log"], '--since: "yesterdayish" is no time; write 2026-11-25, 2026-11-25T02:00:10Z or @SECONDS; see `luatrail replay --help`'),
            (["replay", "--since", "2026-11-26", "--until", "2026-11-25", "audit.log"], "--since 2026-11-26 is later than --until 2026-11-25; exchange them"),
            (["replay", "--min-severity", "urgent", "audit.log"], "--min-severity: urgent not in {info,low,medium,high,critical}; see `luatrail replay --help`"),
            (["replay", "--format", "html", "audit.log"], "--format: html not in {text,json}; see `luatrail replay --help`"),
            (["replay", "--parser", "perl", "audit.log"], "--parser: perl not in {native,auparse}; see `luatrail replay --help`"),
        ):  # fmt: skip
            with self.subTest(arguments):
                result = harness.run(*arguments, cwd=GOOD.directory)
                self.assertEqual((result.status, result.out, result.err), (2, b"", f"luatrail: {line}\n"))


class Settings(harness.TestCase):
    def check_file(self, option, content, line, name="settings.toml"):
        path = self.directory() / name
        path.write_text(content)
        result = replay(option, path, "audit.log")
        self.assertEqual((result.status, result.out, result.err), (2, b"", f"luatrail: {path}:{line}\n"))

    def test_configurations(self):
        for content, line in (
            ('[engine]\nwindo = "10m"\n', "2:1: engine.windo: unknown key; did you mean `window`?"),
            ('[engin]\nwindow = "10m"\n', "1:2: engin: unknown key; did you mean `engine`?"),
            ("[engine]\nwindow = 10\n", "2:10: engine.window: expected string, found integer"),
            ('[engine]\nwindow = "10x"\n', '2:10: engine.window: `10x` is no duration; write it as "250ms", "30s", "10m", "2h" or "7d"'),
            ("[engine\n", "1:8: syntax: Error while parsing table header: expected ']', saw '\\n'"),
        ):  # fmt: skip
            with self.subTest(content):
                self.check_file("--config", content, line)

    def test_baselines(self):
        entry = 'schema = 1\n[[expect]]\nid = "x"\n'
        for content, line in (
            (entry + 'executible = "/usr/bin/lua"\n', "4:1: expect.executible: unknown key; did you mean `executable`?"),
            ("schema = 1\n[[expect]\n", "2:10: syntax: Error while parsing table header: expected ']', saw '\\n'"),
        ):
            with self.subTest(content):
                self.check_file("--baseline", content, line)

    def test_missing_files(self):
        for option in ("--config", "--baseline"):
            result = replay(option, "/nonexistent/x.toml", "audit.log")
            self.assertEqual(
                (result.status, result.out, result.err),
                (2, b"", "luatrail: /nonexistent/x.toml: No such file or directory; check the path\n"),
            )

    def test_config_check(self):
        path = self.directory() / "c.toml"
        path.write_text('[engine]\nwindow = "10x"\nmemori = "1MiB"\n[syslog]\nmax_bytes = "many"\n')
        result = harness.run("config", "check", path)
        self.assertEqual((result.status, result.out, len(result.err.splitlines())), (2, b"", 3), result.err)
        shipped = harness.ROOT / "config" / "luatrail.toml"
        result = harness.run("config", "check", shipped)
        self.assertEqual((result.status, result.out, result.err), (0, f"{shipped}: no errors\n".encode(), ""))


class Outputs(harness.TestCase):
    def test_a_full_disk(self):
        line = "luatrail: {}: No space left on device; the findings are not complete\n" + CLOSING
        result = replay("-o", "/dev/full", "audit.log")
        self.assertEqual((result.status, result.out, result.err), (2, b"", line.format("/dev/full")))
        with open("/dev/full", "wb") as full:
            result = replay("audit.log", stdout=full)
        self.assertEqual((result.status, result.err), (2, line.format("standard output")))

    def test_a_closed_standard_output(self):
        result = replay("audit.log", program=["sh", "-c", 'exec "$0" "$@" >&-', harness.LUATRAIL])
        line = "luatrail: standard output: Bad file descriptor; the findings are not complete\n"
        self.assertEqual((result.status, result.err), (2, line + CLOSING))

    def test_a_reader_that_went_away(self):
        log = self.directory() / "audit.log"
        log.write_bytes(b"".join(s.log.read_bytes() for s in harness.some_scenarios(1) if s.facts["kind"] == "attack"))
        command = 'exec 3>&1; { "$0" replay "$1"; echo "$?" >&3; } | head -n 1 >/dev/null'
        done = subprocess.run(
            ["sh", "-c", command, harness.LUATRAIL, log], capture_output=True, check=False, env=harness.environment(), timeout=60
        )
        self.assertEqual(done.stdout, b"2\n")
        self.assertRegex(done.stderr.decode(), r"(?m)^luatrail: standard output: Broken pipe; the findings are not complete$")

    def test_an_output_that_can_not_be_made(self):
        for option in ("--output", "--bad-lines"):
            result = replay(option, "/nonexistent/x", "audit.log")
            line = "luatrail: /nonexistent/x: No such file or directory; name a file in a directory that you may write\n"
            self.assertEqual((result.status, result.out, result.err), (2, b"", line))

    def test_an_output_file(self):
        path = self.directory() / "findings.jsonl"
        result = replay("--format", "json", "-o", path, "audit.log")
        self.assertEqual((result.status, result.out, result.err), (1, b"", ""))
        self.assertEqual(path.read_bytes(), GOOD.replayed.out)

    def test_bad_lines_on_a_full_disk(self):
        log = self.directory() / "audit.log"
        log.write_bytes(b"no record\n" + GOOD.log.read_bytes())
        result = replay("--format", "json", "--bad-lines", "/dev/full", log)
        self.assertEqual((result.status, result.out), (2, GOOD.replayed.out))
        self.assertEqual(result.err, "luatrail: /dev/full: No space left on device; malformed lines are missing in it\n")


if __name__ == "__main__":
    unittest.main()
