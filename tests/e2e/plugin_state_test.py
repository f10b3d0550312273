"""What a plugin hands on to its next start, and what it keeps of its privileges."""
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

import harness
from harness import some_scenarios
from plugin_case import ATTACK, PluginCase, live


class State(PluginCase):
    """What was known at the end of one plugin is known to the next."""

    def restarted(self, config, lines, at, number=signal.SIGTERM):
        """The plugin ends behind line `at`; another goes on."""
        process = self.start(config)
        process.stdin.write(b"".join(lines[:at]))
        process.stdin.flush()
        if number:
            self.signal(process, number)
        first = self.finish(process)
        process = self.start(config, keep_state=True)
        return first + self.finish(process, b"".join(lines[at:]))

    def test_a_restart_anywhere_changes_no_finding(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        expected = []
        for which in some_scenarios(1)[::6]:
            if "--baseline" in which.facts.get("args", []):
                continue
            lines = live(which.lines())
            for at in range(1, len(lines), max(1, len(lines) // 7)):
                with self.subTest(which=which.name, at=at):
                    self.assertEqual(self.restarted(config, lines, at), "")
                    expected += which.replayed.findings()
        self.stop_rsyslog(rsyslog)
        received = self.received(rsyslog)
        self.assertEqual([finding["id"] for finding in received], [finding["id"] for finding in expected])
        for got, wanted in zip(received, expected):
            if "shortened" not in got:
                self.assertEqual(got, wanted)
        self.assertGreater(len(expected), 5 if harness.SANITIZED else 20)

    def test_a_restart_after_the_end_of_input_remembers_the_drop(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        lines = live(ATTACK.lines())
        run = event_line(lines, ATTACK.replayed.findings()[0]["events"][0])
        self.assertEqual(self.restarted(config, lines, run, number=None), "")
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())

    def test_a_state_that_cannot_be_used_is_set_aside_and_told(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        lines = live(ATTACK.lines())
        self.run_plugin(config, b"".join(lines))
        good = (self.state / "state").read_bytes()
        head, _, body = good.partition(b"\n")
        altered = bytearray(good)
        altered[len(good) // 2] ^= 1
        cases = {
            bytes(altered): "it was cut or altered",
            good[:-1]: "it was cut or altered",
            head: "it is no state of luatrail",
            b"": "it is no state of luatrail",
            b"\x00" * 100: "it is no state of luatrail",
            re.sub(rb"state \d+ ", b"state 999 ", head) + b"\n" + body: "another version of luatrail wrote it",
        }
        for content, why in cases.items():
            with self.subTest(why=why):
                (self.state / "state").write_bytes(content)
                said = self.finish(self.start(config, keep_state=True), b"".join(lines))
                self.assertEqual(
                    said,
                    f"luatrail: {self.state}/state: {why}; set aside as {self.state}/state.bad, starting without what was known\n",
                )
                self.assertEqual((self.state / "state.bad").read_bytes(), content)
        (self.state / "state").chmod(0o666)
        self.assertIn("others may write it; set aside", self.finish(self.start(config, keep_state=True), b""))
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings() * (len(cases) + 1))

    def test_a_state_directory_that_cannot_be_written_is_told_once_and_nothing_is_lost(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        self.state.rmdir()
        lines = live(ATTACK.lines())
        process = self.start(config, keep_state=True)
        process.stdin.write(b"".join(lines[:-2]))  # the last event is in flight
        process.stdin.flush()
        self.signal(process, signal.SIGTERM)
        said = self.finish(process)
        self.assertEqual(
            said,
            f"luatrail: {self.state}/state.new: No such file or directory; what is known now will be lost with the end of the "
            "plugin: make the directory, or name another as state.directory\n",
        )
        self.stop_rsyslog(rsyslog)
        self.assertEqual(len(self.received(rsyslog)), len(ATTACK.replayed.findings()))
        self.state.mkdir()

    def test_a_state_directory_of_somebody_else_or_read_only_or_full_is_told_and_nothing_is_lost(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give directories away and mount file systems")
        lines = b"".join(live(ATTACK.lines()))
        mounted = self.dir / "mounted"
        mounted.mkdir()

        def mount(options):
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", mounted], check=True)
            self.addCleanup(subprocess.run, ["umount", mounted], check=False)

        def somebody_elses():
            os.chown(self.state, 1, 1)
            self.state.chmod(0o755)
            self.addCleanup(os.chown, self.state, 0, 0)
            return self.state, "Permission denied"

        def read_only():
            mount("ro")
            return mounted, "Read-only file system"

        def full():
            mount("size=64k,mode=1777")
            (mounted / "filler").write_bytes(b"x" * 65536)
            return mounted, "No space left on device"

        for make in (somebody_elses, read_only, full):
            with self.subTest(make=make.__name__):
                rsyslog = self.rsyslog(name=make.__name__)
                directory, why = make()
                config = self.config(rsyslog / "log")
                config.write_text(config.read_text().replace(f'"{self.state}"', f'"{directory}"'))
                said = self.finish(self.start(config, keep_state=True), lines)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(f"{directory}/state.new: {why}", said)
                self.stop_rsyslog(rsyslog)
                self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())
                self.assertEqual([path.name for path in directory.iterdir() if path.name.startswith("state")], [])

    def test_a_plugin_waits_for_the_one_before_it(self):
        """auditd starts the next one as soon as the former has closed its input; that one still saves."""
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        with open(self.state / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.start(config, keep_state=True)
            process.stdin.write(b"".join(live(ATTACK.lines())))
            process.stdin.close()
            time.sleep(0.5)
            self.assertIsNone(process.poll())
        self.assertEqual(process.wait(harness.TIMEOUT), 0)
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())

    def test_findings_that_syslog_did_not_take_are_sent_by_the_next_start(self):
        config = self.config(self.dir / "later" / "log")
        said = self.run_plugin(config, b"".join(live(ATTACK.lines())))
        self.assertIn("1 messages could not be handed to syslog before the end; they are kept for the next start", said)
        rsyslog = self.rsyslog(name="later")
        self.assertEqual(self.finish(self.start(config, keep_state=True), b""), "")
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())


def event_line(lines, ident):
    """The number of an event's first line."""
    return next(at for at, line in enumerate(lines) if harness.event_id(line) == harness.event_id_of(ident))


if __name__ == "__main__":
    unittest.main()
