"""This machine's kernel audit for a test: taken alone, given back as it was found.

Needs root and an audit that nobody uses. Where there is none a test is skipped, except in CI.
"""
import contextlib
import fcntl
import os
import pathlib
import subprocess
import time
import unittest

import harness

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
LOCK = "/run/luatrail-record.lock"  # scripts/record-scenario's, too


def auditctl(*arguments, check=True):
    done = subprocess.run(["auditctl", *map(str, arguments)], capture_output=True, text=True, env={"PATH": PATH}, timeout=60, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"auditctl {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def status():
    return {key: value for key, _, value in (line.partition(" ") for line in auditctl("-s").splitlines())}


def why_not():
    """Why this machine's audit cannot be taken; nothing when it can."""
    if os.geteuid() != 0:
        return "only root may load audit rules"
    harness.needs("auditctl")
    try:
        now = status()
    except AssertionError as error:
        return f"this kernel's audit does not answer: {error}"
    if now["pid"] != "0":
        return f"an auditd runs already (pid {now['pid']})"
    return "the audit rules are locked" if now["enabled"] == "2" else None


class KernelAudit(contextlib.AbstractContextManager):
    """Rules, limits and the enabled flag are put back on the way out, whatever happened; so is auditd stopped."""

    def __enter__(self):
        self.lock = open(LOCK, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        reason = why_not()
        if reason:
            self.lock.close()
            if os.environ.get("CI") == "true":
                raise AssertionError(reason)
            raise unittest.SkipTest(reason)
        self.before = status()
        self.rules = [line for line in auditctl("-l").splitlines() if line != "No rules"]
        self.auditd = None
        return self

    def __exit__(self, *_):
        auditctl("-D", check=False)
        self.stop_auditd()
        for option, key in (("-e", "enabled"), ("-r", "rate_limit"), ("-b", "backlog_limit"), ("-f", "failure"), ("--backlog_wait_time", "backlog_wait_time")):
            auditctl(option, self.before[key], check=False)
        if self.before["lost"] == "0":
            auditctl("--reset-lost", check=False)
        for rule in self.rules:
            auditctl(*rule.split(), check=False)
        self.lock.close()

    def load(self, text, directory):
        path = pathlib.Path(directory) / "loaded.rules"
        path.write_text(text, encoding="utf-8")
        auditctl("-D")
        auditctl("-R", path)

    def start_auditd(self, directory, plugins, *, backlog=65536, log_format="ENRICHED", **more):
        """A private auditd with its log in directory/audit.log. `plugins`: names of plugins.d to their texts."""
        self.stop_auditd()  # one that a failed part of a test left
        etc = pathlib.Path(directory) / "etc"
        # auditd closes its log's own directory to others, the plugin's user among them.
        log, link = pathlib.Path(directory) / "log", pathlib.Path(directory) / "audit.log"
        log.mkdir(mode=0o700, exist_ok=True)
        if not link.is_symlink():
            (log / "audit.log").unlink(missing_ok=True)
            link.symlink_to("log/audit.log")
        (etc / "plugins.d").mkdir(parents=True, mode=0o700, exist_ok=True)
        settings = {
            "log_file": log / "audit.log", "log_format": log_format, "log_group": "root", "flush": "INCREMENTAL_ASYNC",
            "freq": 50, "num_logs": 0, "max_log_file": 4000, "max_log_file_action": "IGNORE", "space_left": 2,
            "space_left_action": "IGNORE", "admin_space_left": 1, "admin_space_left_action": "IGNORE", "disk_full_action": "IGNORE",
            "disk_error_action": "IGNORE", "name_format": "NONE", "q_depth": 20000, "max_restarts": 10,
            "overflow_action": "IGNORE", "plugin_dir": etc / "plugins.d", **more,
        }  # fmt: skip
        (etc / "auditd.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()), encoding="utf-8")
        for name, text in plugins.items():
            path = etc / "plugins.d" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o640)
        (etc / "auditd.conf").chmod(0o640)
        auditctl("-b", backlog)
        with open(f"{directory}/auditd.out", "wb") as out:
            self.auditd = subprocess.Popen(["auditd", "-n", "-c", etc], stdout=out, stderr=out, env={"PATH": PATH})
        for _ in range(100):
            now = status()
            if now["pid"] == str(self.auditd.pid) and now["enabled"] == "1":
                return self.auditd
            if self.auditd.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"auditd does not start: {pathlib.Path(directory, 'auditd.out').read_text(encoding='utf-8')}")

    def stop_auditd(self):
        if self.auditd is not None:
            self.auditd.terminate()
            try:
                self.auditd.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.auditd.kill()
                self.auditd.wait()
            self.auditd = None
