"""What the tests of `luatrail plugin` share: a plugin, a private rsyslogd, and recordings as a live feed gives them."""
import array
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import termios
import time

import harness
from harness import scenario

RSYSLOG = pathlib.Path(__file__).with_name("rsyslog.sh")
ATTACK = scenario("shm-luajit-relative")  # one critical finding
SEVERITY_OF_SYSLOG = {"info": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
AUTHPRIV = 10
# Whom a plugin that is started as root becomes: somebody whom every system has.
USER = "nobody"
AS_USER = f'[privileges]\nuser = "{USER}"\n'


def without_helpers(pids):
    """Of processes of the plugin's program those that no other of them started."""
    parents = {}
    for pid in pids:
        try:
            parents[pid] = int(re.search(r"PPid:\t(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
        except OSError:
            pass
    return [pid for pid, parent in parents.items() if parent not in parents]


def live(lines):
    """The lines as auditd hands them to a plugin: each event is followed by its EOE, which the log file lacks."""
    last = {harness.event_id(line): at for at, line in enumerate(lines)}
    out = []
    for at, line in enumerate(lines):
        out.append(line)
        ident = harness.event_id(line)
        if last[ident] == at and re.match(rb"type=(SYSCALL|EXECVE|CWD|PATH|PROCTITLE|SOCKADDR|OPENAT2)", line):
            out.append(b"type=EOE msg=audit(%d.%03d:%d): \n" % (ident[0] // 1000, ident[0] % 1000, ident[1]))
    return out


def shifted(lines, ms):
    """The same events once more, so much later or earlier, and with serials of their own."""

    def moved(match):
        time_ms = int(match[1]) * 1000 + int(match[2]) + ms
        return b"audit(%d.%03d:%d)" % (time_ms // 1000, time_ms % 1000, int(match[3]) + 1000 * abs(ms))

    return [harness.STAMP.sub(moved, line) for line in lines]


def later(lines, seconds):
    return shifted(lines, 1000 * seconds)


class PluginCase(harness.TestCase):
    def setUp(self):
        harness.needs("rsyslogd")
        self.dir = self.directory()
        if os.geteuid() == 0:
            shutil.chown(self.dir, USER)  # status and inventory.wanted lie in it
        self.state = self.dir / "state"
        self.state.mkdir(mode=0o700)
        self.rsyslogs = []

    def rsyslog(self, mode="default", name="rsyslog", within=()):
        """Starts one in this directory of the test's; `within` is what a command of another namespace begins with."""
        directory = self.dir / name
        subprocess.run([*within, RSYSLOG, "start", directory, mode], check=True, timeout=30)
        self.rsyslogs.append(directory)
        self.addCleanup(self.stop_rsyslog, directory)
        return directory

    def stop_rsyslog(self, directory):
        if directory in self.rsyslogs:
            self.rsyslogs.remove(directory)
            subprocess.run([RSYSLOG, "stop", directory], check=True, timeout=30)

    def config(self, socket_path, minimum="info", more='[limits]\nrepeat = "0s"\n'):
        path = self.dir / "luatrail.toml"
        more += "" if "[privileges]" in more else AS_USER
        path.write_text(
            f'[state]\ndirectory = "{self.state}"\n[status]\nfile = "{self.dir}/status.json"\nevery = "1s"\n[detect]\nbaseline = []\nprofiles = []\nmin_severity = "{minimum}"\n[syslog]\nsocket = "{socket_path}"\n{more}'
        )
        return path

    def start(self, config, stdin=subprocess.PIPE, keep_state=False, within=(), **options):
        if not keep_state:
            for path in self.state.glob("*"):
                path.unlink()
        process = subprocess.Popen(
            [*within, harness.LUATRAIL, "plugin", f"--config={config}"],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.environment(), **options,
        )  # fmt: skip
        self.addCleanup(self.end, process)
        return process

    def wait_for_start(self, process):
        """Until it has begun to read: it has its configuration by then."""
        process.stdin.write(b"\n")
        process.stdin.flush()
        waiting = array.array("i", [1])
        while waiting[0] > 0:
            self.assertIsNone(process.poll(), "it has ended")
            time.sleep(0.01)
            fcntl.ioctl(process.stdin, termios.FIONREAD, waiting)

    def signal(self, process, number):
        self.wait_for_start(process)
        process.send_signal(number)

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream and not stream.closed:
                stream.close()
        process.wait()

    def finish(self, process, data=None):
        """Its end after end of input: status 0, nothing on standard output. Returns what it said."""
        out, err = process.communicate(data, timeout=harness.TIMEOUT)
        self.assertEqual((process.returncode, out), (0, b""), err)
        return err.decode()

    def run_plugin(self, config, data):
        return self.finish(self.start(config), data)

    @staticmethod
    def received(directory):
        """The findings in rsyslogd's file: the JSON that ends each line."""
        path = directory / "msg"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [json.loads(line[line.index(b'{"schema"') :]) for line in lines]

    def wait_for(self, directory, count, seconds=10):
        end = time.monotonic() + seconds
        while len(self.received(directory)) < count and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(len(self.received(directory)), count)
        return self.received(directory)
