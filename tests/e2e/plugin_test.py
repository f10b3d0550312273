"""`luatrail plugin` behind a real rsyslogd: what auditd would write into its standard input, as findings in rsyslogd's files."""
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import time
import unittest

import harness
from harness import scenario, some_scenarios
from plugin_case import AS_USER, ATTACK, AUTHPRIV, SEVERITY_OF_SYSLOG, PluginCase, later, live, shifted

SHORTENED = ("inline-long", "rename-storm")  # longer than syslog.max_bytes: see the test of such a finding


class Delivery(PluginCase):
    def test_findings_of_a_pipe_and_of_a_file_are_those_of_replay(self):
        for mode in ("default", "rfc5424"):
            rsyslog = self.rsyslog(mode, mode)
            config = self.config(rsyslog / "log")
            expected = []
            for one in some_scenarios(10):
                if one.baselines or one.name in SHORTENED:
                    continue
                if mode == "default":
                    said = self.run_plugin(config, one.log.read_bytes())
                else:
                    with one.log.open("rb") as log:
                        said = self.finish(self.start(config, stdin=log))
                self.assertEqual(said, "", one.name)
                expected += one.replayed.findings()
            self.stop_rsyslog(rsyslog)
            self.assertEqual(self.received(rsyslog), expected, mode)

    def test_a_live_feed_yields_the_same_findings(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log")
        expected = []
        for one in some_scenarios(10):
            if one.baselines or one.name in SHORTENED:
                continue
            self.assertEqual(self.run_plugin(config, b"".join(live(one.lines()))), "", one.name)
            expected += one.replayed.findings()
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), expected)

    def test_a_finding_does_not_wait_for_the_next_event(self):
        """With EOE at once; without it after the age that auditd itself uses."""
        for feed in (live(ATTACK.lines()), ATTACK.lines()):
            rsyslog = self.rsyslog(name=f"rsyslog-{len(feed)}")
            process = self.start(self.config(rsyslog / "log"))
            process.stdin.write(b"".join(feed))
            process.stdin.flush()
            self.assertEqual(self.wait_for(rsyslog, 1), ATTACK.replayed.findings())
            self.assertEqual(self.finish(process), "")

    def test_priority_and_names(self):
        rsyslog = self.rsyslog("rfc5424")
        found = []
        for form in ("rfc5424", "cee"):
            config = self.config(rsyslog / "log", more=f'format = "{form}"\n[limits]\nrepeat = "0s"\n')
            for name in ("shm-luajit-relative", "drop-other-user", "old-script"):
                found += scenario(name).replayed.findings()
                self.run_plugin(config, scenario(name).log.read_bytes())
        self.stop_rsyslog(rsyslog)
        rows = [line.split("\t")[:3] for line in (rsyslog / "fields").read_text().splitlines()]
        self.assertEqual(
            rows, [[str(AUTHPRIV * 8 + SEVERITY_OF_SYSLOG[f["severity"]]), "luatrail", "luatrail"] for f in found]
        )

    def test_only_what_is_severe_enough(self):
        rsyslog = self.rsyslog()
        one = scenario("child-shell")
        self.run_plugin(self.config(rsyslog / "log", "critical"), one.log.read_bytes())
        self.stop_rsyslog(rsyslog)
        expected = [finding for finding in one.replayed.findings() if finding["severity"] == "critical"]
        self.assertTrue(expected)
        self.assertEqual(self.received(rsyslog), expected)

    def test_names_that_attack_the_log_stay_in_their_line(self):
        rsyslog = self.rsyslog("rfc5424")
        one = scenario("names-odd")
        self.run_plugin(self.config(rsyslog / "log"), one.log.read_bytes())
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), one.replayed.findings())
        lines = (rsyslog / "all").read_bytes().splitlines()
        ours = [line for line in lines if re.match(rb"<\d+>[A-Z][a-z][a-z] [ \d]\d [\d:]{8} luatrail\[\d+\]: @cee: {", line)]
        self.assertEqual(len(ours), len(one.replayed.findings()))
        for line in ours:
            self.assertFalse(re.search(rb"[\x00-\x1f\x7f]", line), line)

    def test_a_message_fits_what_rsyslogd_takes(self):
        rsyslog = self.rsyslog()
        one = scenario("inline-long")
        self.run_plugin(self.config(rsyslog / "log"), one.log.read_bytes())
        self.stop_rsyslog(rsyslog)
        [sent], [full] = self.received(rsyslog), one.replayed.findings()
        self.assertEqual((sent["id"], sent["severity"], sent["title"]), (full["id"], full["severity"], full["title"]))
        for line in (rsyslog / "raw").read_bytes().splitlines():
            self.assertLessEqual(len(line), 8096)

    def test_equal_findings_are_counted(self):
        rsyslog = self.rsyslog()
        one = scenario("old-script")
        lines = one.lines()
        data = b"".join(line for again in range(20) for line in later(lines, again))
        self.run_plugin(self.config(rsyslog / "log", more=""), data)
        self.stop_rsyslog(rsyslog)
        received = self.received(rsyslog)
        alone = len(one.replayed.findings())
        self.assertLess(len(received), 20 * alone)
        seen = [re.match(r"seen (\d+) times", r["text"]) for f in received for r in f["reasons"] if r["id"] == "repeated"]
        # Each count includes the first, which was sent by itself.
        self.assertEqual(len(received) - 2 * len(seen) + sum(int(match[1]) for match in seen), 20 * alone)


    def test_a_count_does_not_wait_for_the_next_finding(self):
        rsyslog = self.rsyslog()
        process = self.start(self.config(rsyslog / "log", more='[limits]\nrepeat = "2s"\n'))
        feed = live(scenario("interactive").lines())
        process.stdin.write(b"".join(feed + [line for again in range(1, 4) for line in shifted(feed, 100 * again)]))
        process.stdin.flush()
        first, counted = self.wait_for(rsyslog, 2)
        self.assertEqual(counted["reasons"][:-1], first["reasons"])
        self.assertRegex(counted["reasons"][-1]["text"], r"^seen 4 times since .*, when finding " + first["id"])
        self.assertEqual(self.finish(process), "")


class Signals(PluginCase):
    def test_sigterm_loses_nothing_that_was_written(self):
        rsyslog = self.rsyslog()
        process = self.start(self.config(rsyslog / "log"))
        self.signal(process, signal.SIGSTOP)
        process.stdin.write(ATTACK.log.read_bytes())  # fits into the pipe: written, and not read
        process.stdin.flush()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(10), 0)
        self.assertLess(time.monotonic() - began, 5)
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())

    def test_end_of_input_in_the_middle_of_an_event(self):
        """auditd goes away in the middle of an event: what came counts, and the plugin ends well."""
        rsyslog = self.rsyslog()
        lines = ATTACK.lines()
        run = ATTACK.replayed.findings()[0]["events"][0].encode()
        last = max(at for at, line in enumerate(lines) if line.startswith(b"type=PATH msg=audit(" + run))
        self.assertEqual(self.run_plugin(self.config(rsyslog / "log"), b"".join(lines[:last])[:-10]), "")
        self.stop_rsyslog(rsyslog)
        [finding] = self.received(rsyslog)
        self.assertEqual(finding["severity"], "critical")
        self.assertIn("partial-event", finding["degraded"])

    def test_sighup_takes_a_new_configuration(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log", "critical")
        process = self.start(config)
        low = scenario("old-script")
        process.stdin.write(b"".join(live(low.lines())))
        process.stdin.flush()
        time.sleep(0.5)
        self.config(rsyslog / "log", "info")
        self.signal(process, signal.SIGHUP)
        self.assertIn(b"reloaded", process.stderr.readline())
        process.stdin.write(b"".join(later(live(low.lines()), 3600)))
        process.stdin.flush()
        found = self.wait_for(rsyslog, len(low.replayed.findings()))
        self.assertEqual({finding["severity"] for finding in found}, {"info"})
        self.assertEqual(self.finish(process), "")

    def test_sighup_with_a_wrong_configuration_changes_nothing(self):
        rsyslog = self.rsyslog()
        config = self.config(rsyslog / "log", "high")
        process = self.start(config)
        self.wait_for_start(process)
        config.write_text("[detect]\nmin_severity = 3\n")
        self.signal(process, signal.SIGHUP)
        self.assertEqual(
            process.stderr.readline().decode(),
            f"luatrail: {config}:2:16: detect.min_severity: expected string, found integer; "
            "the old configuration stays in force\n",
        )
        for one in (scenario("old-script"), ATTACK):
            process.stdin.write(one.log.read_bytes())
        self.assertEqual(self.finish(process), "")
        self.stop_rsyslog(rsyslog)
        self.assertEqual([finding["severity"] for finding in self.received(rsyslog)], ["critical"])

    def test_sighup_takes_another_syslog_socket_but_where_files_are_is_settled_at_the_start(self):
        first, second = self.rsyslog(), self.rsyslog(name="second")
        process = self.start(self.config(first / "log"))
        process.stdin.write(b"".join(live(ATTACK.lines())))
        process.stdin.flush()
        self.wait_for(first, 1)
        other = self.dir / "other-state"
        other.mkdir(mode=0o700)
        config = self.config(second / "log")
        config.write_text(config.read_text().replace(f'"{self.state}"', f'"{other}"'))
        self.signal(process, signal.SIGHUP)
        self.assertRegex(process.stderr.readline(), rb"reloaded; what it changes of .*state.directory.* counts from the next start\n")
        process.stdin.write(b"".join(later(live(ATTACK.lines()), 3600)))
        self.assertEqual(self.finish(process), "")
        self.stop_rsyslog(first)
        self.stop_rsyslog(second)
        self.assertEqual(len(self.received(first)), 1)
        self.assertEqual(len(self.received(second)), 1)
        self.assertEqual(json.loads((self.dir / "status.json").read_text())["syslog"]["sent"], 2)
        self.assertEqual(list(other.iterdir()), [])
        self.assertEqual(sorted(path.name for path in self.state.iterdir()), ["lock", "state"])

    def test_sighup_takes_what_waits_for_a_dead_socket_to_a_live_one(self):
        rsyslog = self.rsyslog()
        process = self.start(self.config(self.dir / "nobody"))
        process.stdin.write(b"".join(live(ATTACK.lines())))
        process.stdin.flush()
        self.assertIn(b"findings wait", process.stderr.readline())
        self.config(rsyslog / "log")
        self.signal(process, signal.SIGHUP)
        self.assertIn(b"reloaded\n", process.stderr.readline())
        self.assertEqual(self.wait_for(rsyslog, 1), ATTACK.replayed.findings())
        self.assertEqual(self.finish(process), "")

    def test_sighup_says_what_needs_a_restart(self):
        rsyslog = self.rsyslog()
        for more in ('[engine]\nmemory = "8MiB"\n', "[live]\nlook_ups = false\n", "[privileges]\nseccomp = false\n"):
            with self.subTest(more=more):
                process = self.start(self.config(rsyslog / "log"))
                self.wait_for_start(process)
                self.config(rsyslog / "log", more=more)
                self.signal(process, signal.SIGHUP)
                self.assertIn(b"counts from the next start", process.stderr.readline())
                self.finish(process)

    def test_what_everybody_may_write_is_refused(self):
        rsyslog = self.rsyslog()
        baseline = self.dir / "baseline.toml"
        baseline.write_text('schema = 1\n[[expect]]\nid = "all"\nexecutable = "/usr/bin/*"\nbecause = "a test"\n')
        config = self.config(rsyslog / "log")
        config.write_text(config.read_text().replace("baseline = []", f'baseline = ["{baseline}"]'))
        for path in (baseline, config):
            path.chmod(0o666)
            process = self.start(config)
            out, said = process.communicate(b"".join(live(ATTACK.lines())), timeout=harness.TIMEOUT)
            self.assertEqual((process.returncode, out), (2, b""))
            self.assertIn(f"luatrail: {path}: everybody may write it", said.decode())
            path.chmod(0o644)
            # While it runs the old one stays in force.
            process = self.start(config)
            self.wait_for_start(process)
            path.chmod(0o666)
            self.signal(process, signal.SIGHUP)
            line = process.stderr.readline().decode()
            self.assertIn(f"luatrail: {path}: everybody may write it", line)
            self.assertIn("the old configuration stays in force", line)
            self.finish(process)
            path.chmod(0o644)

    def test_auditds_binary_protocol_is_one_clear_line(self):
        rsyslog = self.rsyslog()
        text = b"audit(1795572010.666:108274): arch=c000003e syscall=59 success=yes"
        for version in (0, 1):
            data = struct.pack("=4I", version, 16, 1300, len(text)) + text
            process = self.start(self.config(rsyslog / "log"))
            out, said = process.communicate(data * 3, timeout=harness.TIMEOUT)
            self.assertEqual(process.returncode, 2)
            self.assertEqual(out, b"")
            self.assertEqual(
                said.decode(),
                "luatrail: standard input: auditd's binary protocol; write \"format = string\" in plugins.d/luatrail.conf, and restart auditd\n",
            )

    def test_bytes_of_neither_protocol_are_counted(self):
        rsyslog = self.rsyslog()
        said = self.run_plugin(self.config(rsyslog / "log"), bytes(range(256)) + b"\n" + b"".join(live(ATTACK.lines())))
        self.assertEqual(said, "")
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), ATTACK.replayed.findings())
        malformed = json.loads((self.dir / "status.json").read_text())["malformed"]
        self.assertEqual({reason for reason, count in malformed.items() if count}, {"no-record", "nul-byte"})

    def test_sighup_takes_a_new_baseline(self):
        rsyslog = self.rsyslog()
        baseline = self.dir / "baseline.toml"
        config = self.dir / "luatrail.toml"
        config.write_text(
            f'[state]\ndirectory = "{self.state}"\n'
            f'[detect]\nbaseline = ["{self.dir}/baseline*.toml"]\nprofiles = []\nmin_severity = "info"\n'
            f'[syslog]\nsocket = "{rsyslog}/log"\n[limits]\nrepeat = "0s"\n{AS_USER}'
        )
        process = self.start(config)
        low = scenario("old-script")
        process.stdin.write(b"".join(live(low.lines())))
        process.stdin.flush()
        before = self.wait_for(rsyslog, len(low.replayed.findings()))
        self.assertEqual({finding["expectation"]["verdict"] for finding in before}, {"unknown"})
        baseline.write_text('schema = 1\n[[expect]]\nid = "all"\nexecutable = "/usr/bin/*"\nbecause = "a test"\n')
        self.signal(process, signal.SIGHUP)
        self.assertIn(b"reloaded", process.stderr.readline())
        process.stdin.write(b"".join(later(live(low.lines()), 3600)))
        self.assertEqual(self.finish(process), "")
        self.stop_rsyslog(rsyslog)
        self.assertEqual(self.received(rsyslog), before)  # expected from then on: no finding


class Syslog(PluginCase):
    def test_a_socket_that_comes_later(self):
        directory = self.dir / "rsyslog"
        process = self.start(self.config(directory / "log"))
        process.stdin.write(b"".join(live(ATTACK.lines())))
        process.stdin.flush()
        self.assertIn(f"luatrail: syslog: {directory}/log: ", process.stderr.readline().decode())
        self.rsyslog()
        self.assertEqual(self.wait_for(directory, 1, 30), ATTACK.replayed.findings())
        self.finish(process)

    def test_a_socket_that_never_comes(self):
        process = self.start(self.config(self.dir / "log"))
        said = self.finish(process, ATTACK.log.read_bytes())
        self.assertIn("1 messages could not be handed to syslog before the end", said)
        self.assertIn(f"luatrail: syslog: {self.dir}/log: ", said)

    def test_an_rsyslogd_that_restarts(self):
        rsyslog = self.rsyslog()
        process = self.start(self.config(rsyslog / "log"))
        feed = live(ATTACK.lines())
        process.stdin.write(b"".join(feed))
        process.stdin.flush()
        self.wait_for(rsyslog, 1)
        self.stop_rsyslog(rsyslog)
        process.stdin.write(b"".join(later(feed, 3600)))
        process.stdin.flush()
        time.sleep(0.5)
        self.rsyslog()
        self.wait_for(rsyslog, 2, 30)
        process.stdin.write(b"".join(later(feed, 7200)))
        process.stdin.flush()
        self.wait_for(rsyslog, 3, 30)
        self.finish(process)

    def test_a_syslog_that_does_not_read_holds_up_nothing(self):
        """The socket's buffer fills, then the queue; auditd's pipe is emptied all the same, and what was dropped is told."""
        path = self.dir / "log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
            deaf.bind(str(path))
            path.chmod(0o666)  # as /dev/log
            more = '[limits]\nqueue = 100\nrepeat = "0s"\n'
            process = self.start(self.config(path, more=more))
            lines = live(ATTACK.lines())
            longest = 0.0
            for again in range(400 if harness.SANITIZED else 2000):
                began = time.monotonic()
                process.stdin.write(b"".join(later(lines, 3600 * (10_000 + again))))  # never this host's present
                process.stdin.flush()
                longest = max(longest, time.monotonic() - began)
            said = self.finish(process)
        self.assertLess(longest, 2)
        self.assertRegex(said, r"takes no more, and 100 findings wait; the least severe are dropped and counted\n")
        self.assertRegex(said, r"\d+ findings were dropped while syslog took none; raise limits.queue\n\Z")
        self.assertEqual(said.count("\n"), 3, said)

    def test_memory_is_bounded(self):
        if harness.SANITIZED:
            self.skipTest("sanitizers take memory of their own")
        process = self.start(self.config(self.dir / "log"))
        template = (
            b'type=SYSCALL msg=audit(%d.%03d:%d): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=1 a2=241 a3=1b6 '
            b'items=2 ppid=1 pid=%d auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm="sh" '
            b'exe="/usr/bin/dash" key="drop"\n'
            b'type=PATH msg=audit(%d.%03d:%d): item=0 name="/tmp/" inode=2 dev=fd:00 mode=040777 nametype=PARENT\n'
            b'type=PATH msg=audit(%d.%03d:%d): item=1 name="/tmp/junk-%d.lua" inode=%d dev=fd:00 mode=0100644 nametype=CREATE\n'
        )
        count = 120_000
        for start in range(0, count, 1000):
            block = []
            for n in range(start, start + 1000):
                stamp = (1795582000 + n // 1000, n % 1000, n)
                block.append(template % (*stamp, 1000 + n % 30000, *stamp, *stamp, n, 1000 + n))
            process.stdin.write(b"".join(block))
        process.stdin.flush()
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
        self.finish(process)
        self.assertLess(peak, 64 * 1024)

    def test_off(self):
        config = self.dir / "luatrail.toml"
        config.write_text(f'[state]\ndirectory = "{self.state}"\n[syslog]\ntransport = "off"\n{AS_USER}')
        self.assertEqual(self.run_plugin(config, ATTACK.log.read_bytes()), "")


class BlockedSignals(PluginCase):
    def test_signals_that_auditd_left_blocked_reach_the_plugin(self):
        rsyslog = self.rsyslog()
        block = [signal.SIGHUP, signal.SIGTERM]
        process = self.start(
            self.config(rsyslog / "log"), preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, block)
        )
        self.signal(process, signal.SIGHUP)
        self.assertIn(b"reloaded", process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 0)


class Start(PluginCase):
    def test_wrong_configurations_are_refused(self):
        path = self.dir / "c.toml"
        for content, line in (
            ('[syslog]\ntransport = "tcp"\n', None),
            ('[syslog]\nmax_bytes = 100\n', None),
            ("[limits]\nqeue = 1\n", "2:1: limits.qeue: unknown key; did you mean `queue`?"),
        ):
            path.write_text(content)
            result = harness.run("plugin", f"--config={path}")
            self.assertEqual((result.status, result.out, result.err.count("\n")), (2, b"", 1), result.err)
            self.assertTrue(result.err.startswith(f"luatrail: {path}:2:"), result.err)
            if line:
                self.assertEqual(result.err, f"luatrail: {path}:{line}\n")
        result = harness.run("plugin", "--config=/nonexistent.toml")
        self.assertEqual(
            (result.status, result.err),
            (2, "luatrail: /nonexistent.toml: No such file or directory; check the path\n"),
        )

    def test_a_closed_standard_input_is_the_end(self):
        config = self.dir / "luatrail.toml"
        config.write_text('[syslog]\ntransport = "off"\n' + AS_USER)
        done = subprocess.run(
            ["sh", "-c", 'exec "$0" plugin --config="$1" <&-', harness.LUATRAIL, config],
            capture_output=True, check=False, timeout=20, env=harness.environment(),
        )  # fmt: skip
        self.assertIn(done.returncode, (0, 2))
        self.assertLessEqual(done.stderr.count(b"\n"), 1)


if __name__ == "__main__":
    unittest.main()
