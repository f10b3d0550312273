"""luatrail under a real auditd while the host is busy: what is lost, and what is found all the same."""
import os
import signal
import subprocess
import time
import unittest

import kernel
from live_case import LiveCase, wait_until
from plugin_case import RSYSLOG

RULE = "-a always,exit -F arch=b64 -S getpriority -F key=storm\n"
RATES = (40_000, 30_000, 20_000, 15_000, 10_000, 7000, 5000, 3000, 2000)
MODERATE = 2000  # events a second
SECONDS = 3  # that each rate is tried


class LoadTest(LiveCase):
    def logged(self):
        with open(self.dir / "audit.log", "rb") as log:
            return sum(1 for line in log if b'key="storm"' in line)

    def settle(self):
        self.assertTrue(wait_until(lambda: int(kernel.status()["backlog"]) < 10, 120), "the kernel's backlog does not drain")

    def highest_rate(self):
        """That auditd alone sustains for a few seconds: nothing lost, and the storm not held up."""
        for rate in RATES:
            self.audit.load(RULE, self.dir)
            self.audit.start_auditd(self.dir, {})
            lost = int(kernel.status()["lost"])
            made = self.storm(rate, SECONDS)
            self.settle()
            lost = int(kernel.status()["lost"]) - lost
            self.audit.stop_auditd()
            held_up = made < 0.97 * SECONDS * rate
            logged = self.logged()
            (self.dir / "audit.log").unlink()
            if not lost and not held_up and logged == made:
                return rate
        return self.fail("auditd alone does not sustain the lowest rate")

    def test_in_a_storm_nothing_is_lost_and_drops_are_found(self):
        highest = self.highest_rate()
        rate = highest // 2  # the plugin, and the other tests, need processors too: auditd's queue to it must not overflow
        print(f"auditd alone sustains {highest} events a second here")
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, more_rules=RULE)
        lost = int(kernel.status()["lost"])
        storm = self.begin_storm(rate, 20)
        for number in range(10):
            self.run_lua(self.drop(f"storm{number}"))
            time.sleep(1.5)
        made = self.end_storm(storm)
        self.settle()
        self.assertEqual(10, len(self.settled(rsyslog, 10)))
        self.assertEqual(lost, int(kernel.status()["lost"]))
        self.assertEqual(made, self.logged())
        self.assertTrue(wait_until(lambda: self.status()["events"]["judged"] >= made), self.status())
        status = self.status()
        self.assertEqual({"kernel": 0, "missing": 0, "room": 0, "syslog": 0}, status["lost"])
        self.assertEqual(0, sum(status["malformed"].values()))
        self.assertEqual([], self.notices(rsyslog))
        self.assertEqual({f["id"] for f in self.of_ours(self.received(rsyslog))}, {f["id"] for f in self.replayed()})
        print(f"{made} storm events of 20 s, {status['records']} records read, lag {status['lag']['p50_ms_at_most']} ms (half), "
              f"{status['lag']['p99_ms_at_most']} ms (99 %)")  # fmt: skip

    def under_load(self, action, runs=12):
        """Drops and runs, one each 100 ms, and in their midst the action; all the while a moderate storm."""
        storm = self.begin_storm(MODERATE, runs * 0.1 + 3)
        dropped = []
        for number in range(runs):
            dropped.append(self.drop(f"load{number}"))
            if number == runs // 2:
                action()
            self.run_lua(dropped[-1])  # the drop lies before the action, the run behind it
            time.sleep(0.1)
        self.end_storm(storm)
        self.settle()
        return dropped

    def test_sighup_with_a_broken_and_a_good_file_under_load(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, more_rules=RULE)
        (pid,) = self.plugins()
        config = self.dir / "luatrail.toml"
        good = config.read_text()

        def broken_then_good():
            config.write_text("[detect\n")
            os.kill(pid, signal.SIGHUP)
            self.assertTrue(wait_until(lambda: "the old configuration stays in force" in self.said()), self.said())
            config.write_text(good)
            os.kill(pid, signal.SIGHUP)
            self.assertTrue(wait_until(lambda: "reloaded" in self.said()), self.said())

        dropped = self.under_load(broken_then_good)
        self.assert_all_found(rsyslog, dropped)
        self.assertEqual([pid], self.plugins())
        self.assertEqual({"kernel": 0, "missing": 0, "room": 0, "syslog": 0}, self.status()["lost"])

    def assert_all_found(self, rsyslog, dropped):
        findings = self.settled(rsyslog, len(dropped))
        self.assertEqual(sorted(map(str, dropped)), sorted(finding["code"]["path"] for finding in findings))
        self.assertEqual({"high"}, {finding["severity"] for finding in findings})
        self.assertEqual({f["id"] for f in findings}, {f["id"] for f in self.replayed()})
        self.assert_no_call_was_refused()

    def test_rsyslogd_stops_and_starts_under_load(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, more_rules=RULE)

        def stop():
            subprocess.run([RSYSLOG, "stop", rsyslog], check=True, timeout=30)

        dropped = self.under_load(stop)
        self.assertLess(len(self.of_ours(self.received(rsyslog))), len(dropped))
        subprocess.run([RSYSLOG, "start", rsyslog], check=True, timeout=30)
        self.assert_all_found(rsyslog, dropped)

    def test_a_restart_between_drop_and_run_under_load(self):
        rsyslog = self.rsyslog()
        self.go_live(rsyslog, more_rules=RULE)

        def restart():
            pids = self.plugins()
            os.kill(pids[0], signal.SIGTERM)
            self.wait_for_another_than(pids)

        dropped = self.under_load(restart)
        findings = self.settled(rsyslog, len(dropped))
        self.assertEqual(sorted(map(str, dropped)), sorted(finding["code"]["path"] for finding in findings))
        self.assertEqual({"high"}, {finding["severity"] for finding in findings})
        self.assertEqual({"kernel": 0, "missing": 0, "room": 0, "syslog": 0}, self.status()["lost"])


if __name__ == "__main__":
    unittest.main()
