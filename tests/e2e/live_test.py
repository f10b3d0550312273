"""luatrail as a plugin of a real auditd, under this machine's real kernel, with the rules that it ships and a real rsyslogd."""
import hashlib
import os
import pathlib
import signal
import subprocess
import time
import unittest

import harness
import kernel
from live_case import LiveCase, wait_until
from plugin_case import RSYSLOG

SCRIPTS = 40


class LiveTest(LiveCase):
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
                self.assertRegex(self.said(), r"\A(luatrail: auditd ended, [^\n]*\n)?\Z")
                self.assert_no_call_was_refused()
                (self.dir / "audit.log").unlink()
                (self.dir / "said").unlink(missing_ok=True)
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
        dropped = [self.drop(f"k{number}") for number in range(5)]
        for path in dropped:
            self.run_lua(path)
        findings = self.settled(rsyslog, 5)
        self.assertEqual(sorted(map(str, dropped)), sorted(one["code"]["path"] for one in findings), findings)

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

    def test_a_finding_carries_what_the_host_shows(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        script = self.drops / "long.lua"
        code = b"os.execute('sleep 3')\n"
        subprocess.run(["sh", "-c", f"cat >{script}"], input=code, check=True, env={"PATH": kernel.PATH})
        environment = {"PATH": kernel.PATH, "LUA_INIT": "local x = 1", "SECRET": "1"}
        process = subprocess.Popen(["lua5.4", script], env=environment)
        self.addCleanup(process.wait)
        finding = self.settled(rsyslog, 1)[0]
        self.assertTrue(wait_until(lambda: any("live" in one for one in self.received(rsyslog))))
        [more] = [one for one in self.received(rsyslog) if "live" in one]
        self.assertEqual(("environment", "LUA_INIT=local x = 1", True), (more["code"]["origin"], more["code"]["argument"], more["live"]))
        self.assertEqual(finding["id"], more["follows"])
        evidence = finding["evidence"]
        lua = pathlib.Path("/usr/bin/lua5.4").resolve().read_bytes()
        self.assertEqual(
            evidence,
            {
                "interpreter": {"path": f"/proc/{process.pid}/exe", "sha256": hashlib.sha256(lua).hexdigest(), "size": len(lua)},
                "script": {
                    "path": str(script), "sha256": hashlib.sha256(code).hexdigest(), "size": len(code),
                    "first_line": "os.execute('sleep 3')",
                },
                "environment": ["LUA_INIT=local x = 1"],
            },
        )  # fmt: skip
        self.assertEqual("text", finding["code"]["format"])
        self.assert_no_call_was_refused()

    def test_code_of_the_environment_is_found_where_the_run_is_expected(self):
        rsyslog = self.rsyslog()
        old = self.dir / "old.lua"
        old.write_text("os.execute('sleep 2')\n")
        os.utime(old, (1, 1))
        baseline = self.dir / "baseline.toml"
        baseline.write_text(f'schema = 1\n[[expect]]\nid = "old"\nscript = "{old}"\n')
        self.go_live(rsyslog, change=lambda text: text.replace("baseline = []", f'baseline = ["{baseline}"]'))
        time.sleep(1)
        dropped = self.drop("init")
        quiet = subprocess.Popen(["lua5.4", old], env={"PATH": kernel.PATH})
        loud = subprocess.Popen(["lua5.4", old], env={"PATH": kernel.PATH, "LUA_INIT": f"@{dropped}"})
        self.addCleanup(quiet.wait)
        self.addCleanup(loud.wait)
        finding = self.settled(rsyslog, 1)[0]
        self.assertEqual(loud.pid, finding["process"]["pid"])
        self.assertEqual(("high", "environment", str(dropped), True), (finding["severity"], finding["code"]["origin"], finding["code"]["path"], finding["live"]))
        self.assertEqual(["script-drop"], [entry["kind"] for entry in finding["chain"]])
        self.assertEqual("environment-code", finding["reasons"][0]["id"])
        self.assert_no_call_was_refused()

    def test_an_interpreter_of_another_name_is_known_by_its_content(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        start = (
            "import os; f = os.memfd_create('kthread', 0); os.write(f, open('/usr/bin/lua5.4', 'rb').read()); "
            "os.execv(f'/proc/self/fd/{f}', ['[kthread]', '-e', 'os.execute(\"sleep 2\")'])"
        )
        process = subprocess.Popen(["python3", "-c", start], env={"PATH": kernel.PATH})
        self.addCleanup(process.wait)
        self.assertTrue(wait_until(lambda: any("live" in one for one in self.received(rsyslog))), self.said())
        [finding] = [one for one in self.received(rsyslog) if "live" in one]
        self.assertEqual(process.pid, finding["process"]["pid"])
        self.assertEqual(("content", True), (finding["interpreter"]["identified_by"], finding["live"]))
        self.assertIn("memfd", [entry["kind"] for entry in finding["chain"]])
        self.assertIn("Lua 5.4", [reason["text"] for reason in finding["reasons"] if reason["id"] == "content"][0])
        self.assert_no_call_was_refused()

    def test_an_audit_that_is_switched_off_is_told(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        subprocess.run(["lua5.4", "-v"], check=True, stdout=subprocess.DEVNULL)
        kernel.auditctl("-e", "0")
        kernel.auditctl("-e", "1")
        self.assertTrue(wait_until(lambda: "the kernel's audit was switched off" in self.said()), self.said())

    def test_what_a_run_that_is_over_leaves_is_looked_at_all_the_same(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog)
        kept, gone = self.drop("kept"), self.drop("gone")
        for path in (kept, gone):
            subprocess.run(["sh", "-c", f"lua5.4 {path}; case {path} in *gone*) rm {path};; esac"], check=True, env={"PATH": kernel.PATH})
        by_script = {finding["code"]["path"]: finding["evidence"] for finding in self.settled(rsyslog, 2)}
        self.assertIn("script", by_script[str(kept)], by_script)
        self.assertEqual(hashlib.sha256(b"return 1\n").hexdigest(), by_script[str(kept)]["script"]["sha256"])
        self.assertNotIn("note", by_script[str(kept)]["script"])
        # Deleted at once: either the look was faster, or it says why there is nothing.
        late = by_script[str(gone)]["script"]
        self.assertTrue("sha256" in late or late["note"].startswith("not there to open"), late)

    def test_records_that_the_kernel_lost_are_told(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, more_rules="-a always,exit -F arch=b64 -S getpriority -F key=storm\n")
        self.run_lua(self.drop("before"))
        self.settled(rsyslog, 1)
        self.assertTrue(wait_until(lambda: (self.status() or {}).get("kernel")))  # the counter is known
        kernel.auditctl("-b", "64")
        kernel.auditctl("--backlog_wait_time", "0")
        before = int(kernel.status()["lost"])
        os.kill(self.audit.auditd.pid, signal.SIGSTOP)
        self.storm(20_000, 0.2)
        os.kill(self.audit.auditd.pid, signal.SIGCONT)
        kernel.auditctl("-b", "65536")  # from here on no more is lost
        lost = int(kernel.status()["lost"]) - before
        self.assertGreater(lost, 0)
        self.assertTrue(wait_until(lambda: self.notices(rsyslog)), self.said())
        (notice,) = self.notices(rsyslog)
        self.assertEqual("lost-records", notice["kind"])
        self.assertEqual(lost, notice["counts"]["kernel"])
        self.assertIn(f"records that the kernel lost: {lost}", notice["text"])
        self.run_lua(self.drop("after"))
        before, after = self.settled(rsyslog, 2)
        self.assertNotIn("lost-records", before["degraded"])
        self.assertIn("lost-records", after["degraded"])
        self.assertEqual(lost, self.status()["lost"]["kernel"])

    def test_events_that_auditd_dropped_are_told(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, "lean", more_rules="-a always,exit -F arch=b64 -S getpriority -F key=storm\n", q_depth=100)
        self.run_lua(self.drop("before"))
        self.settled(rsyslog, 1)
        (pid,) = self.plugins()
        os.kill(pid, signal.SIGSTOP)
        self.storm(3000, 0.2)
        time.sleep(5)  # with its queue full auditd tries for some milliseconds, then drops a record
        os.kill(pid, signal.SIGCONT)
        self.assertTrue(wait_until(lambda: [one for one in self.notices(rsyslog) if one["counts"]["missing"] > 0]), self.said())
        self.run_lua(self.drop("after"))
        after = self.settled(rsyslog, 2)[-1]
        self.assertIn("lost-records", after["degraded"])
        self.assertEqual(0, self.status()["lost"]["kernel"])


if __name__ == "__main__":
    unittest.main()
