"""luatrail as a plugin of a real auditd, under this machine's real kernel, with the rules that it ships and a real rsyslogd."""
import os
import pathlib
import signal
import subprocess
import time
import unittest

import harness
import kernel
from plugin_case import RSYSLOG, PluginCase

SCRIPTS = 40


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class LiveTest(PluginCase):
    def setUp(self):
        super().setUp()
        harness.needs("auditd")
        harness.needs("lua5.4")
        self.audit = kernel.KernelAudit()
        self.audit.__enter__()
        self.addCleanup(self.audit.__exit__)
        self.drops = self.dir / "drops"  # below /tmp, which the rules watch
        self.drops.mkdir()
        # auditd starts plugins that root alone may replace; a clone may be anybody's.
        self.program = self.dir / "luatrail"
        self.program.write_bytes(pathlib.Path(harness.LUATRAIL).read_bytes())
        self.program.chmod(0o755)

    def go_live(self, rsyslog, profile="full"):
        config = self.config(rsyslog / "log")
        text = harness.run("rules", "--profile", profile).out.decode()
        self.audit.load(text, self.dir)
        wrapper = self.dir / "plugin"  # what the plugin says goes to a file
        wrapper.write_text(f'#!/bin/sh\nexec {self.program} "$@" 2>>{self.dir}/said\n')
        wrapper.chmod(0o755)
        self.audit.start_auditd(
            self.dir,
            {
                "luatrail.conf": f"active = yes\ndirection = out\npath = {wrapper}\ntype = always\n"
                f"args = plugin --config={config}\nformat = string\n"
            },
        )
        self.assertTrue(wait_until(lambda: self.plugins()), self.said())

    def plugins(self):
        """Those that have started: until their handlers are there, auditd's children ignore signals."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "exe") == str(self.program) and "Seccomp:\t2" in (folder / "status").read_text():
                    found.append(int(folder.name))
            except OSError:
                pass
        return found

    def wait_for_another_than(self, pids):
        """auditd notices that a plugin has gone when it has an event for it."""

        def another():
            subprocess.run(["true"], check=True)
            return self.plugins() and self.plugins() != pids

        self.assertTrue(wait_until(another), self.said())

    def said(self):
        path = self.dir / "said"
        return path.read_text() if path.exists() else ""

    def drop(self, name):
        """A shell of its own writes the script, as an attacker's would."""
        path = self.drops / f"{name}.lua"
        subprocess.run(["sh", "-c", f"echo 'return 1' >{path}"], check=True, env={"PATH": kernel.PATH})
        return path

    def run_lua(self, path):
        subprocess.run(["lua5.4", path], check=True, env={"PATH": kernel.PATH})

    def of_ours(self, findings):
        return [finding for finding in findings if str(self.drops) in (finding["code"]["path"] or "")]

    def settled(self, rsyslog, count):
        self.assertTrue(wait_until(lambda: len(self.of_ours(self.received(rsyslog))) >= count), self.said())
        return self.of_ours(self.received(rsyslog))

    def assert_no_call_was_refused(self):
        log = (self.dir / "audit.log").read_bytes()
        self.assertEqual([], [line for line in log.splitlines() if line.startswith(b"type=SECCOMP")])

    def replayed(self):
        return self.of_ours(harness.run("replay", "--format", "json", self.dir / "audit.log").findings())

    def test_forty_dropped_scripts_are_forty_findings_and_replay_says_the_same(self):
        for profile in ("full", "lean"):
            with self.subTest(profile=profile):
                rsyslog = self.rsyslog(name=f"rsyslog-{profile}")
                self.go_live(rsyslog, profile)
                for number in range(SCRIPTS):
                    self.run_lua(self.drop(f"{profile}{number}"))
                findings = self.settled(rsyslog, SCRIPTS)
                self.audit.stop_auditd()
                self.assertTrue(wait_until(lambda: not self.plugins()), "the plugin goes on without auditd")
                self.stop_rsyslog(rsyslog)
                findings = self.of_ours(self.received(rsyslog))
                self.assertEqual(SCRIPTS, len(findings))
                self.assertEqual({"high"}, {finding["severity"] for finding in findings})
                self.assertEqual({"script-drop"}, {entry["kind"] for finding in findings for entry in finding["chain"]})
                self.assertEqual({"sh", "dash"} & {pathlib.Path(f["chain"][0]["by"]["exe"]).name for f in findings}, {"dash"})
                self.assertEqual({f["id"] for f in findings}, {f["id"] for f in self.replayed()})
                self.assertEqual("", self.said())
                self.assert_no_call_was_refused()
                (self.dir / "audit.log").unlink()
                for path in self.drops.iterdir():
                    path.unlink()

    def test_a_drop_is_remembered_by_the_next_plugin(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        dropped = [self.drop(f"x{number}") for number in range(3)]
        pids = self.plugins()
        self.assertTrue(wait_until(lambda: (self.dir / "audit.log").read_bytes().count(b'x2.lua"') > 0))
        time.sleep(0.5)  # what auditd has logged it has also handed on
        os.kill(pids[0], signal.SIGTERM)
        self.wait_for_another_than(pids)
        for path in dropped:
            self.run_lua(path)
        findings = self.settled(rsyslog, 3)
        self.assertEqual({"high"}, {finding["severity"] for finding in findings})
        self.assertEqual({f["id"] for f in findings}, {f["id"] for f in self.replayed()})
        os.kill(self.plugins()[0], signal.SIGHUP)
        self.assertTrue(wait_until(lambda: "reloaded" in self.said()), self.said())
        self.assert_no_call_was_refused()

    def test_a_plugin_that_is_killed_is_started_again_and_finds_what_follows(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        pids = self.plugins()
        os.kill(pids[0], signal.SIGKILL)
        self.wait_for_another_than(pids)
        for number in range(5):
            self.run_lua(self.drop(f"k{number}"))
        self.assertEqual(5, len(self.settled(rsyslog, 5)))

    def test_what_ran_before_auditd_is_in_the_process_tree(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        self.run_lua(self.drop("tree"))
        (finding,) = self.settled(rsyslog, 1)
        self.assertIn(os.getpid(), [ancestor["pid"] for ancestor in finding["ancestors"]])
        above = [ancestor["pid"] for ancestor in finding["ancestors"]]
        self.assertIn(os.getppid(), above)

    def test_rsyslogd_may_come_and_go(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        self.run_lua(self.drop("before"))
        self.settled(rsyslog, 1)
        subprocess.run([RSYSLOG, "stop", rsyslog], check=True, timeout=30)
        for number in range(5):
            self.run_lua(self.drop(f"while{number}"))
        time.sleep(1)
        subprocess.run([RSYSLOG, "start", rsyslog], check=True, timeout=30)
        self.run_lua(self.drop("after"))
        findings = self.settled(rsyslog, 7)
        self.assertEqual(7, len({finding["id"] for finding in findings}))
        self.assert_no_call_was_refused()


if __name__ == "__main__":
    unittest.main()
