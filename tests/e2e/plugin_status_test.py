"""`luatrail status`: the counters of a plugin that runs, has ended, or was killed."""
import datetime
import json
import os
import re
import signal
import time
import unittest

import harness
from plugin_case import ATTACK, PluginCase, live


def now(lines):
    """The same events as of this moment."""
    newest = max(ident[0] for ident in map(harness.event_id, lines) if ident)
    seconds = int(time.time()) - newest // 1000
    return [re.sub(rb"audit\((\d+)\.", lambda match: b"audit(%d." % (int(match[1]) + seconds), line) for line in lines]


class StatusTest(PluginCase):
    def setUp(self):
        super().setUp()
        self.log = self.rsyslog()
        self.path = self.dir / "status.json"

    def status(self, *more):
        return harness.run("status", "--file", self.path, *more)

    def wait_for_status(self, condition):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.path.exists() and condition(json.loads(self.path.read_text())):
                return
            time.sleep(0.05)
        self.fail(f"never: {self.path.read_text() if self.path.exists() else 'no status'}")

    def test_a_plugin_that_runs_tells_what_it_has_seen(self):
        lines = live(ATTACK.lines())
        process = self.start(self.config(self.log / "log"))
        process.stdin.write(b"".join(now(lines)) + b"no record\n" + b"type=SYSCALL msg=audit(x:1): a=1\n")
        process.stdin.flush()
        self.wait_for_status(lambda status: status["findings"]["critical"] == 1)
        result = self.status("--format", "json")
        self.assertEqual((0, ""), (result.status, result.err))
        status = json.loads(result.out)
        self.assertEqual("luatrail/status/1", status["schema"])
        self.assertEqual(process.pid, status["pid"])
        self.assertEqual(len(lines), status["records"])
        malformed = status["malformed"]
        self.assertEqual({"no-record", "bad-stamp", "interpreted", "too-long", "nul-byte", "utf-16", "journal-text"}, set(malformed))
        self.assertEqual({"no-record": 1, "bad-stamp": 1}, {reason: count for reason, count in malformed.items() if count})
        self.assertEqual(len({harness.event_id(line) for line in lines}), status["events"]["judged"])
        self.assertEqual(1, status["syslog"]["sent"])
        self.assertGreater(status["tables"]["entries"]["processes"], 0)
        self.assertGreater(status["memory"]["resident"], 1_000_000)
        self.assertGreater(status["lag"]["events"], 0)
        started = datetime.datetime.fromisoformat(status["started"])
        self.assertLess(abs((datetime.datetime.now(datetime.timezone.utc) - started).total_seconds()), 60)
        text = self.status()
        self.assertEqual((0, ""), (text.status, text.err))
        self.assertIn(f"pid {process.pid}".encode(), text.out)
        self.assertIn(b"1 critical", text.out)
        textfile = self.status("--format", "prometheus")
        self.assertEqual(0, textfile.status)
        self.assertIn(b'luatrail_findings_total{severity="critical"} 1\n', textfile.out)

        self.finish(process)
        ended = self.status()
        self.assertEqual((1, "luatrail: the plugin has ended; auditd starts it\n"), (ended.status, ended.err))
        self.assertIn(b"it has ended", ended.out)

    def test_a_plugin_that_was_killed_or_hangs_is_told(self):
        process = self.start(self.config(self.log / "log"))
        self.wait_for_start(process)
        self.wait_for_status(lambda status: status["pid"] == process.pid)
        process.send_signal(signal.SIGSTOP)
        time.sleep(3.2)
        self.assertEqual(
            (1, f"luatrail: the plugin (pid {process.pid}) has not written its status when it should have\n"),
            (self.status().status, self.status().err),
        )
        process.kill()
        process.wait()
        result = self.status()
        self.assertEqual(1, result.status)
        self.assertIn(f"the plugin (pid {process.pid}) does not run any more", result.err)

    def test_the_textfile_is_written_where_the_configuration_says(self):
        config = self.config(self.log / "log")
        config.write_text(config.read_text().replace("[status]\n", f'[status]\nprometheus = "{self.dir}/luatrail.prom"\n'))
        process = self.start(config)
        self.wait_for_start(process)
        textfile = self.dir / "luatrail.prom"
        self.wait_for_status(lambda status: textfile.exists())  # it is written behind the other
        self.assertIn("luatrail_up 1\n", textfile.read_text())
        self.assertEqual(0o644, textfile.stat().st_mode & 0o777)
        self.finish(process)
        self.assertIn("luatrail_up 0\n", textfile.read_text())
        self.assertEqual(harness.run("status", "--config", config, "--format", "prometheus").out.decode(), textfile.read_text())

    def test_a_file_that_cannot_be_written_is_told_once(self):
        config = self.config(self.log / "log")
        config.write_text(config.read_text().replace("status.json", "none/below/status.json"))
        process = self.start(config)
        self.wait_for_start(process)
        time.sleep(2.5)
        said = self.finish(process)
        self.assertEqual(
            f"luatrail: {self.dir}/none/below/status.json.new: No such file or directory; make the directory, or name another file as status.file\n",
            said,
        )

    def test_without_a_status_there_is_nothing_to_show(self):
        missing = self.status()
        self.assertEqual(2, missing.status)
        self.assertIn(f"{self.path}: No such file or directory; has the plugin run", missing.err)
        for content in (b"{}", b"\x00\xff", b'{"schema":"luatrail/status/1"}'):
            self.path.write_bytes(content)
            result = self.status()
            self.assertEqual((2, b""), (result.status, result.out))
            self.assertTrue(result.err.startswith(f"luatrail: {self.path}: "), result.err)

    def test_a_link_in_the_place_of_the_new_file_is_not_followed(self):
        target = self.dir / "precious"
        target.write_text("precious")
        os.link(target, f"{self.path}.new")
        self.run_plugin(self.config(self.log / "log"), b"")
        self.assertEqual("precious", target.read_text())
        self.assertTrue(json.loads(self.path.read_text())["ended"])


if __name__ == "__main__":
    unittest.main()
