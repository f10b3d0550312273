"""What the tests under a real auditd share: the kernel's audit, taken alone; auditd with the plugin; drops and runs."""
import json
import os
import pathlib
import signal
import subprocess
import time

import harness
import kernel
from plugin_case import PluginCase, without_helpers

STORM = os.environ.get("STORM") or str(harness.ROOT / "build" / "release" / "tests" / "e2e" / "storm")


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class LiveCase(PluginCase):
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

    def go_live(self, rsyslog, profile="full", more_rules="", change=lambda text: text, **auditd):
        config = self.config(rsyslog / "log")
        config.write_text(change(config.read_text()))
        text = harness.run("rules", "--profile", profile).out.decode()
        self.audit.load(text + more_rules, self.dir)
        wrapper = self.dir / "plugin"  # what the plugin says goes to a file
        wrapper.write_text(f'#!/bin/sh\nexec {self.program} "$@" 2>>{self.dir}/said\n')
        wrapper.chmod(0o755)
        self.audit.start_auditd(
            self.dir,
            {
                "luatrail.conf": f"active = yes\ndirection = out\npath = {wrapper}\ntype = always\n"
                f"args = plugin --config={config}\nformat = string\n"
            },
            **auditd,
        )
        self.assertTrue(wait_until(lambda: self.plugins()), self.said())

    def plugins(self):
        """Those that have started: until their handlers are there, auditd's children ignore signals. Not their helpers,
        which are ready before the process that started them is."""
        found = []
        for directory in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(directory / "exe") == str(self.program):
                    found.append(int(directory.name))
            except OSError:
                pass
        return [pid for pid in without_helpers(found) if self.has_started(pid)]

    def has_started(self, pid):
        try:
            return "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False

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
        return [finding for finding in findings if "code" in finding and str(self.drops) in (finding["code"]["path"] or "")]

    def settled(self, rsyslog, count):
        self.assertTrue(wait_until(lambda: len(self.of_ours(self.received(rsyslog))) >= count), self.said())
        return self.of_ours(self.received(rsyslog))

    def assert_no_call_was_refused(self):
        log = (self.dir / "audit.log").read_bytes()
        self.assertEqual([], [line for line in log.splitlines() if line.startswith(b"type=SECCOMP")])

    def replayed(self):
        return self.of_ours(harness.run("replay", "--format", "json", self.dir / "audit.log").findings())

    def status(self):
        path = self.dir / "status.json"
        return json.loads(path.read_text()) if path.exists() else None

    def notices(self, rsyslog):
        return [one for one in self.received(rsyslog) if one["schema"] == "luatrail/notice/1"]

    def begin_storm(self, rate, seconds):
        """So many system calls a second that the rule with the key storm asks for."""
        process = subprocess.Popen([STORM, str(rate), str(seconds)], stdout=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    def end_storm(self, process):
        """How many it were."""
        out, _ = process.communicate(timeout=harness.TIMEOUT)
        self.assertEqual(0, process.returncode)
        return int(out)

    def storm(self, rate, seconds):
        return self.end_storm(self.begin_storm(rate, seconds))
