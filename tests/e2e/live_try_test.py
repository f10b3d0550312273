"""luatrail doctor --try on a live host: where the finding arrives, and which link is broken when it does not."""
import json
import os
import pathlib
import signal
import subprocess
import unittest

import harness
import kernel
from live_case import LiveCase, wait_until
from plugin_case import RSYSLOG

OTHER_RULE = "-a always,exit -F arch=b64 -S getpriority -F key=other\n"


class TryTest(LiveCase):
    def try_out(self, rsyslog, *more, seconds=20, status=0):
        result = harness.run(
            "doctor", "--try", "--config", self.dir / "luatrail.toml", "--auditd", self.dir / "etc",
            "--log", rsyslog / "msg", "--seconds", seconds, "--format", "json", *more,
        )  # fmt: skip
        self.assertEqual((status, ""), (result.status, result.err), result.out)
        said = json.loads(result.out)
        self.assertEqual(status == 0, said["arrived"])
        if said["script"]:
            self.assertFalse(pathlib.Path(said["script"]).parent.exists())
        return said

    def broken(self, said):
        return [(link["id"], link["remedy"] is not None) for link in said["links"] if link["state"] == "fault"]

    def test_the_finding_arrives_marked_as_a_test_and_a_replay_says_the_same(self):
        for profile in ("full", "lean"):
            with self.subTest(profile=profile):
                rsyslog = self.rsyslog(name=f"rsyslog-{profile}")
                self.go_live(rsyslog, profile)
                said = self.try_out(rsyslog)
                links = [(link["id"], link["state"]) for link in said["links"]]
                self.assertEqual(
                    [("kernel/enabled", "good"), ("kernel/auditd", "good"), ("rules", "good"), ("plugin", "good"), ("auditd", "good"), ("log", "good")],
                    [link for link in links if link[0] != "journal"],
                )  # fmt: skip
                (finding,) = [one for one in self.received(rsyslog) if one.get("id") == said["finding"]]
                self.assertEqual((True, "high", said["script"]), (finding["test"], finding["severity"], finding["code"]["path"]))
                self.assertTrue(finding["title"].startswith("Test of luatrail doctor: "), finding["title"])
                self.audit.stop_auditd()
                self.assertTrue(wait_until(lambda: not self.plugins()), "the plugin goes on without auditd")
                replayed = harness.run("replay", "--format", "json", self.dir / "audit.log").findings()
                (same,) = [one for one in replayed if one["id"] == said["finding"]]
                self.assertIs(True, same["test"])
                (self.dir / "audit.log").unlink()

    def test_its_page_names_what_it_did(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        result = harness.run(
            "doctor", "--try", "--config", self.dir / "luatrail.toml", "--auditd", self.dir / "etc", "--log", rsyslog / "msg",
        )  # fmt: skip
        self.assertEqual(0, result.status, result.out)
        self.assertRegex(
            result.out.decode(),
            r"\AA script that does nothing, /tmp/luatrail-try-\w{6}/try\.lua, run by /\S+:\n\n(good    [^\n]+\n( +\S[^\n]*\n)*)+\n"
            r"The finding is [0-9a-f]{16}\. It is marked as a test\.\n\Z",
        )

    def test_rules_that_do_not_ask_for_it(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        self.audit.load(OTHER_RULE, self.dir)
        said = self.try_out(rsyslog, seconds=2, status=1)
        self.assertEqual([("auditd", True)], self.broken(said))
        self.audit.load("", self.dir)
        said = self.try_out(rsyslog, seconds=2, status=1)
        self.assertEqual([("rules", True)], self.broken(said))
        self.assertIsNone(said["script"])

    def test_a_plugin_that_hangs_and_one_that_is_gone(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        (pid,) = self.plugins()
        self.assertTrue(wait_until(lambda: self.status() is not None))
        os.kill(pid, signal.SIGSTOP)
        try:
            said = self.try_out(rsyslog, seconds=3, status=1)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual([("plugin", True)], self.broken(said))
        self.audit.stop_auditd()
        self.assertTrue(wait_until(lambda: not self.plugins()))
        said = self.try_out(rsyslog, seconds=3, status=1)
        self.assertIn(("kernel/auditd", True), self.broken(said))
        self.assertIn(("plugin", True), self.broken(said))

    def test_a_receiver_that_is_gone_and_one_that_writes_elsewhere(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        elsewhere = self.dir / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "msg").touch()
        said = self.try_out(elsewhere, seconds=3, status=1)
        self.assertEqual([("receiver", True)], self.broken(said))
        subprocess.run([RSYSLOG, "stop", rsyslog], check=True, timeout=30)
        said = self.try_out(rsyslog, seconds=4, status=1)
        self.assertEqual([("syslog", True)], self.broken(said))
        subprocess.run([RSYSLOG, "start", rsyslog], check=True, timeout=30)
        self.assertTrue(wait_until(lambda: len([one for one in self.received(rsyslog) if one.get("test")]) == 2))

    def test_only_info(self):
        """The run is seen, the drop is not."""
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, change=lambda text: text.replace('min_severity = "info"', 'min_severity = "medium"'))
        rules = harness.run("rules").out.decode().splitlines(keepends=True)
        self.audit.load("".join(line for line in rules if "-k luatrail-file" not in line), self.dir)
        said = self.try_out(rsyslog, seconds=6, status=1)
        self.assertEqual([("plugin", True)], self.broken(said))
        self.assertIn("not the drop", said["links"][-1]["text"])


class WithoutTheKernel(harness.TestCase):
    def test_root_alone_may_try(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another")
        result = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", harness.LUATRAIL, "doctor", "--try"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.environment(), check=False,
        )  # fmt: skip
        self.assertEqual((2, b""), (result.returncode, result.stdout))
        self.assertIn(b"run it as root", result.stderr)

    def test_it_asks_the_kernel_and_no_file_of_rules(self):
        result = harness.run("doctor", "--try", "--rules", "x")
        self.assertEqual(2, result.status)
        self.assertEqual(2, harness.run("doctor", "--log", "x").status)


if __name__ == "__main__":
    unittest.main()
