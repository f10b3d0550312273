"""What rsyslogd, journald and syslog-ng make of the plugin's messages, each configured by the blocks of docs/receivers.md.

syslog-ng is tried where it is installed: Debian's cannot be beside rsyslog, which the other tests need.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest

import harness
from harness import scenario
from plugin_case import ATTACK, AUTHPRIV, SEVERITY_OF_SYSLOG, PluginCase, live

# Critical; names that attack the log; nothing urgent; and, beyond rsyslogd's default limit, 60 KB.
SHORT = [ATTACK, scenario("names-odd"), scenario("old-script")]
LONG = scenario("inline-long")
LONGEST = "max_bytes = 65000\n"
JOURNALD = "/lib/systemd/systemd-journald"
SYSLOG_NG = shutil.which("syslog-ng")

RELP, RECEIVE, URGENT, RFC5424, FILE = (
    f"/etc/rsyslog.d/{name}.conf"
    for name in ("30-luatrail-relp", "30-luatrail-receive", "31-luatrail-urgent", "32-luatrail-rfc5424", "39-luatrail")
)
NG, FORWARD, SCRIPT = "/etc/syslog-ng/conf.d/luatrail.conf", "/etc/systemd/journald.conf.d/luatrail.conf", "luatrail-urgent.sh"

# The document's blocks that are files: their first line begins with the file's name.
FILE_BLOCK = re.compile(r"^```\n(# (\S+\.(?:conf|sh)): .*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {name: text for text, name in FILE_BLOCK.findall((harness.ROOT / "docs/receivers.md").read_text())}

OTHERS = [  # another program that mentions luatrail, and somebody who writes under its name, and not to the end
    b'<82>Nov 26 12:38:58 sudo[1]: luatrail: @cee: {"severity":"critical"}',
    b'<86>Nov 26 12:38:58 luatrail[2]: @cee: {"schema":"luatrail/finding/1","id":"cut',
]


def below(directory, text):
    """The same configuration with each of its paths in this directory."""
    return re.sub(r'"(/[^"]*)"', rf'"{directory}\1"', text)


def lines_of(path):
    """The whole lines of a file, which may not be there yet. (A name in them may hold what str.splitlines() takes for a line's end.)"""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def priority(finding):
    return AUTHPRIV * 8 + SEVERITY_OF_SYSLOG[finding["severity"]]


def urgent(sent):
    return [finding for _, finding in sent if finding["severity"] in ("high", "critical")]


class ReceiverCase(PluginCase):
    def wait_until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "never")
            time.sleep(0.02)

    def send(self, path, scenarios=SHORT, more=""):
        """What others write into the socket, then what plugins send of the scenarios: pairs of process id and finding."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.connect(str(path))
            for message in OTHERS:
                other.send(message)
        sent = []
        for one in scenarios:
            process = self.start(self.config(path, more=more + '[limits]\nrepeat = "0s"\n'))
            self.assertEqual(self.finish(process, one.log.read_bytes()), "")
            sent += [(process.pid, finding) for finding in one.replayed.findings()]
        return sent

    def assert_fields(self, rows, sent):
        """Facility and severity, program name, process id."""
        ours = [row for row in rows if row[2] in {str(pid) for pid, _ in sent}]
        self.assertCountEqual(ours, [(priority(finding), "luatrail", str(pid)) for pid, finding in sent])

    def assert_lines(self, path, sent):
        """The file of luatrail's messages: nothing else is in it, and each finding is whole. (A relay may change the order.)"""
        matches = [re.search(r" luatrail(?:\[| )(\d+).*? @cee: (\{.*)$", line) for line in lines_of(path)]
        self.assertEqual([match[2] for match in matches if match[2][-1] != "}"], ['{"schema":"luatrail/finding/1","id":"cut'])
        self.assertCountEqual([(int(match[1]), json.loads(match[2])) for match in matches if match[2][-1] == "}"], sent)


class Document(harness.TestCase):
    def test_each_block_that_is_a_file_is_tried_here(self):
        self.assertEqual(set(BLOCKS), {RELP, RECEIVE, URGENT, RFC5424, FILE, NG, FORWARD, SCRIPT})


class RsyslogCase(ReceiverCase):
    def rsyslog_with(self, *blocks, name="rsyslog", changes=None, **how):
        """One that has these blocks as files; in the first of them these changes, each of which is one."""
        directory = self.dir / name
        for part in ("rsyslog.d", "run"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        for block in blocks:
            text = BLOCKS[block]
            for old, new in (changes or {}).items() if block == blocks[0] else ():
                self.assertEqual(text.count(old), 1, old)
                text = text.replace(old, new)
            (directory / "rsyslog.d" / pathlib.Path(block).name).write_text(below(directory, text))
        return self.rsyslog(name=name, **how)

    def stop_well(self, directory):
        self.stop_rsyslog(directory)
        self.assertEqual((directory / "rsyslogd.out").read_text(), "")

    @staticmethod
    def fields(directory):
        rows = [line.split("\t") for line in lines_of(directory / "fields")]
        return [(int(row[0]), row[1], row[5]) for row in rows]

    def assert_urgent(self, path, sent):
        """Also a message whose JSON is no JSON."""
        cut, *lines = [json.loads(line) for line in lines_of(path)]
        self.assertEqual(lines, urgent(sent))
        self.assertIn("cut", cut["msg"])

    def assert_rsyslog(self, directory, sent):
        self.assert_fields(self.fields(directory), sent)
        self.assert_urgent(directory / "var/log/luatrail-urgent.json", sent)
        self.assert_lines(directory / "var/log/luatrail.log", sent)


class Rsyslog(RsyslogCase):
    def test_to_a_file(self):
        log = self.rsyslog_with(FILE)
        sent = self.send(log / "log")
        self.stop_well(log)
        self.assert_fields(self.fields(log), sent)
        self.assert_lines(log / "var/log/luatrail.log", sent)

    def test_what_is_urgent_as_json(self):
        log = self.rsyslog_with(URGENT)
        sent = self.send(log / "log")
        self.stop_well(log)
        self.assert_urgent(log / "var/log/luatrail-urgent.json", sent)

    def test_rfc5424_on_a_socket_of_its_own(self):
        log = self.rsyslog_with(RFC5424)
        self.wait_until((log / "run/luatrail-rfc5424").exists)
        sent = self.send(log / "run/luatrail-rfc5424", more='format = "rfc5424"\n')
        self.stop_well(log)
        self.assert_fields(self.fields(log), sent)
        findings = lines_of(log / "msg")[len(OTHERS) :]
        self.assertEqual([json.loads(line) for line in findings], [finding for _, finding in sent])
        for line, (_, finding) in zip(lines_of(log / "fields")[len(OTHERS) :], sent):
            self.assertEqual(line.split("\t")[3], "finding")
            self.assertIn(f'[luatrail@32473 id="{finding["id"]}"', line.split("\t")[4])


class Relp(RsyslogCase):
    """Two rsyslogds: the relay's sender, which also has the other blocks, and its receiver."""

    def setUp(self):
        super().setUp()
        harness.needs("openssl")
        self.authority = self.dir / "authority"
        self.authority.mkdir()
        self.openssl("genpkey", "-genparam", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", self.authority / "curve")
        self.openssl("req", "-x509", *self.new_key(self.authority / "ca.key"), "-subj", "/CN=test", "-days", "2", "-out", self.authority / "ca.pem")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.at_receiver = self.dir / "receiver"
        self.at_sender = self.dir / "sender"

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30, env=harness.environment())

    def new_key(self, path):
        return "-newkey", f"ec:{self.authority}/curve", "-nodes", "-keyout", path

    def certificate(self, name, directory):
        """For the host in this directory, signed by the authority."""
        made = directory / "etc/ssl/luatrail"
        made.mkdir(parents=True)
        shutil.copy(self.authority / "ca.pem", made)
        request = made / "host.csr"
        self.openssl("req", *self.new_key(made / "host.key"), "-subj", "/", "-addext", f"subjectAltName=DNS:{name}", "-out", request)
        by = ("-CA", self.authority / "ca.pem", "-CAkey", self.authority / "ca.key", "-CAcreateserial", "-days", "2")
        self.openssl("x509", "-req", "-in", request, *by, "-copy_extensions", "copy", "-out", made / "host.pem")

    def start_sender(self, name="web01.example.org"):
        if not self.at_sender.exists():
            self.certificate(name, self.at_sender)
        to = f'target="127.0.0.1" port="{self.port}"'
        return self.rsyslog_with(RELP, URGENT, FILE, name="sender", changes={'target="loghost.example.org" port="20514"': to})

    def start_receiver(self, name="loghost.example.org"):
        self.certificate(name, self.at_receiver)
        self.rsyslog_with(RECEIVE, name="receiver", changes={'port="20514"': f'address="127.0.0.1" port="{self.port}"'})
        listens = f"0100007F:{self.port:04X} 00000000:0000 0A"
        self.wait_until(lambda: listens in pathlib.Path("/proc/net/tcp").read_text())

    def test_what_waits_for_the_receiver_arrives_whole(self):
        """Through an end of the sender's rsyslogd, and with the other blocks beside it."""
        self.start_sender()
        sent = self.send(self.at_sender / "log", [*SHORT, LONG], LONGEST)
        self.stop_rsyslog(self.at_sender)
        self.assert_rsyslog(self.at_sender, sent)
        self.start_receiver()
        self.start_sender()
        path = self.at_receiver / f"var/log/luatrail/{socket.gethostname()}.log"
        self.wait_until(lambda: len(lines_of(path)) > len(sent))
        self.stop_well(self.at_sender)
        self.stop_well(self.at_receiver)
        self.assert_lines(path, sent)
        rows = [re.match(r"<(\d+)>1 \S+ \S+ (\S+) (\d+) ", line).groups() for line in lines_of(path)]
        self.assert_fields([(int(pri), name, pid) for pri, name, pid in rows], sent)

    def test_nothing_goes_to_or_comes_from_another_than_the_permitted(self):
        for receiver, sender, teller in (
            ("other.example.org", "web01.example.org", self.at_sender),
            ("loghost.example.org", "web01.example.net", self.at_receiver),
        ):
            self.start_receiver(receiver)
            self.start_sender(sender)
            self.send(self.at_sender / "log", [ATTACK])
            self.wait_until(lambda: "authentication error" in (teller / "rsyslogd.out").read_text())
            self.stop_rsyslog(self.at_sender)
            self.stop_rsyslog(self.at_receiver)
            self.assertEqual(list(self.at_receiver.glob("var/log/luatrail/*")), [])
            shutil.rmtree(self.at_sender)
            shutil.rmtree(self.at_receiver)


class JournalCase(RsyslogCase):
    """A journald with a /run and a /var/log of its own, which cannot reach the kernel's audit or its log."""

    SETTINGS = "[Journal]\nStorage=volatile\nAudit=\nReadKMsg=no\nForwardToWall=no\n"
    START = """
        for place in run var/log; do mount -n --bind "$1/$place" "/$place" || exit; done
        mountpoint -q /sys/fs/cgroup || mount -n -t cgroup2 none /sys/fs/cgroup || exit
        [ ! -e /dev/kmsg ] || mount -n --bind /dev/null /dev/kmsg || exit
        exec setpriv --pdeathsig TERM --bounding-set -audit_control,-audit_read,-syslog "$2"
    """

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root may mount")
        harness.needs("journalctl")
        self.top = self.dir / "journal"
        self.runtime = self.top / "run"
        self.socket = self.runtime / "systemd/journal/dev-log"

    def start_journald(self, *blocks):
        settings = self.runtime / "systemd/journald.conf.d"
        settings.mkdir(parents=True)
        (self.top / "var/log").mkdir(parents=True)
        (settings / "a.conf").write_text("[Journal]\nForwardToSyslog=no\n")
        (settings / "z.conf").write_text(self.SETTINGS)
        for block in blocks:
            (settings / pathlib.Path(block).name).write_text(BLOCKS[block])
        self.journald = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", self.START, "sh", self.top, JOURNALD],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=harness.environment(),
        )  # fmt: skip
        self.addCleanup(self.stop_journald)
        self.wait_until(lambda: self.socket.exists() or self.journald.poll() is not None)
        if self.journald.poll() is not None:
            self.fail(self.journald.stderr.read())

    def stop_journald(self):
        self.journald.terminate()
        self.journald.stderr.close()
        self.journald.wait(30)

    @property
    def within(self):
        process = f"/proc/{self.journald.pid}"
        return ["nsenter", f"--mount={process}/ns/mnt", f"--root={process}/root", f"--wd={process}/root"]

    def inside(self, *command):
        """What a command prints that sees this journald's /run."""
        done = subprocess.run([*self.within, *command], check=True, stdout=subprocess.PIPE, timeout=30, env=harness.environment())
        return done.stdout.decode()

    def entries(self):
        return [json.loads(line) for line in self.inside("journalctl", "-t", "luatrail", "-o", "json", "--all").splitlines()]


class Journal(JournalCase):
    def test_fields(self):
        self.start_journald()
        sent = self.send(self.socket, [*SHORT, LONG], LONGEST)
        self.wait_until(lambda: len(self.entries()) > len(sent))
        entries = self.entries()
        rows = [(int(e["SYSLOG_FACILITY"]) * 8 + int(e["PRIORITY"]), e["SYSLOG_IDENTIFIER"], e["SYSLOG_PID"]) for e in entries]
        self.assert_fields(rows, sent)
        self.assertTrue(all(entry["MESSAGE"].startswith("@cee: {") for entry in entries))
        self.assertEqual([json.loads(entry["MESSAGE"][6:]) for entry in entries[1:]], [finding for _, finding in sent])

    def test_what_is_urgent_as_json(self):
        """Of the plugin's own messages: it must be there when journald asks the kernel who sent them."""
        harness.needs("jq")
        self.start_journald()
        self.send(self.socket, [])
        process = self.start(self.config(self.socket, more='[limits]\nrepeat = "0s"\n'), within=self.within)
        sent = []
        for one in SHORT:
            process.stdin.write(b"".join(live(one.lines())))
            process.stdin.flush()
            sent += [(process.pid, finding) for finding in one.replayed.findings()]
            self.wait_until(lambda: len(self.entries()) > len(sent))
        self.assertEqual(self.finish(process), "")
        script = BLOCKS[SCRIPT].replace("/usr/bin/luatrail", os.path.realpath(harness.LUATRAIL))
        self.assertEqual([json.loads(line) for line in self.inside("sh", "-c", script).splitlines()], urgent(sent))

    def test_on_to_rsyslogd(self):
        log = self.rsyslog_with(FILE, URGENT)
        self.start_journald(FORWARD)
        (self.runtime / "systemd/journal/syslog").symlink_to(log / "log")
        sent = self.send(self.socket)
        self.wait_until(lambda: len(self.fields(log)) >= len(sent) + len(OTHERS))
        self.stop_well(log)
        self.assert_rsyslog(log, sent)

    def test_rsyslogd_that_reads_the_journal(self):
        self.start_journald()
        sent = self.send(self.socket)
        log = self.rsyslog_with(FILE, URGENT, mode="journal", within=self.within)
        self.wait_until(lambda: len(self.fields(log)) >= len(sent) + len(OTHERS))
        self.stop_well(log)
        self.assert_rsyslog(log, sent)


if SYSLOG_NG:

    class SyslogNg(JournalCase):
        """As Debian's syslog-ng.conf includes the block: its source is the socket or, under systemd, the journal."""

        def start_syslog_ng(self, source, within=()):
            self.files = self.dir / "syslog-ng"
            (self.files / "var/log").mkdir(parents=True)
            version = re.match(r"syslog-ng \d+ \((\d+\.\d+)", subprocess.check_output([SYSLOG_NG, "--version"], text=True))[1]
            fields = f'file("{self.files}/fields" template("$PRI\\t$PROGRAM\\t$PID\\n"))'
            (self.files / "conf").write_text(
                f"@version: {version}\nsource s_src {{ {source}; }};\n"
                f"log {{ source(s_src); filter {{ facility(authpriv); }}; destination {{ {fields}; }}; }};\n{below(self.files, BLOCKS[NG])}"
            )
            files = (f"--{option}={self.files}/{option}" for option in ("persist-file", "pidfile", "control"))
            self.daemon = subprocess.Popen(
                [*within, SYSLOG_NG, "--foreground", "--no-caps", f"--cfgfile={self.files}/conf", *files],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            self.addCleanup(self.end, self.daemon)

        def assert_syslog_ng(self, sent):
            fields = self.files / "fields"
            self.wait_until(lambda: len(lines_of(fields)) == len(OTHERS) + len(sent))
            self.daemon.terminate()
            said = self.daemon.communicate(timeout=30)[1]
            self.assertEqual(self.daemon.returncode, 0, said)
            rows = [line.split("\t") for line in lines_of(fields)]
            self.assert_fields([(int(row[0]), row[1], row[2]) for row in rows], sent)
            self.assert_lines(self.files / "var/log/luatrail.log", sent)
            lines = lines_of(self.files / "var/log/luatrail-urgent.json")
            self.assertEqual([json.loads(line) for line in lines], urgent(sent))

        def test_from_the_socket(self):
            path = self.dir / "log"
            self.start_syslog_ng(f'unix-dgram("{path}")')
            self.wait_until(path.exists)
            self.assert_syslog_ng(self.send(path, [*SHORT, LONG], LONGEST))

        def test_from_the_journal(self):
            self.start_journald()
            sent = self.send(self.socket)
            self.start_syslog_ng("systemd-journal()", self.within)
            self.assert_syslog_ng(sent)


if __name__ == "__main__":
    unittest.main()
