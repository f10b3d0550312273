"""Whom a plugin that root started is, what it may still do, and that it does all of its work as that user."""
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import time
import unittest

import harness
from plugin_case import ATTACK, USER, PluginCase, later, live

DAC_READ_SEARCH, SYS_PTRACE, AUDIT_CONTROL = 1 << 2, 1 << 19, 1 << 30  # linux/capability.h


def status_of(directory):
    text = (pathlib.Path(directory) / "status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def helpers_of(pid):
    """Process ids of a plugin's children by their names."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {status_of(f"/proc/{child}")["Name"]: int(child) for child in children}


class PrivilegesTest(PluginCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root has something to give up")
        self.log = self.rsyslog()

    def started(self, more=""):
        process = self.start(self.config(self.log / "log", more=more))
        self.wait_for_start(process)
        return process

    def wait_until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "never")
            time.sleep(0.05)

    def status(self):
        path = self.dir / "status.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def assert_holds(self, directory, uid, kept):
        status = status_of(directory)
        for name in ("CapInh", "CapAmb", "CapBnd"):
            self.assertEqual(int(status[name], 16), 0, name)
        for name in ("CapPrm", "CapEff"):
            self.assertEqual(int(status[name], 16), kept, name)
        self.assertEqual(status["Uid"].split(), [str(uid)] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "0" if harness.SANITIZED else "2")

    def test_the_plugin_holds_nothing_and_its_helpers_what_their_questions_need(self):
        nobody = pwd.getpwnam(USER).pw_uid
        off = "[live]\nlook_ups = false\nkernel_state = false\n"
        for more, uid, helpers in (
            ("", nobody, ["luatrail-kernel", "luatrail-look"]),
            ("[live]\nkernel_state = false\n", nobody, ["luatrail-look"]),
            ("[live]\nlook_ups = false\n", nobody, ["luatrail-kernel"]),
            (off, nobody, []),
            ('[privileges]\nuser = "root"\n', 0, ["luatrail-kernel", "luatrail-look"]),
            ('[privileges]\nuser = ""\n', 0, ["luatrail-kernel", "luatrail-look"]),
        ):
            with self.subTest(more=more):
                process = self.started(more)
                tasks = list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())
                self.assertEqual(len(tasks), 2, "the loop, and one that saves")
                for task in tasks:
                    self.assert_holds(task, uid, 0)
                self.assertEqual(status_of(f"/proc/{process.pid}")["Groups"].split(), [] if uid else status_of("/proc/self")["Groups"].split())
                found = helpers_of(process.pid)
                self.assertEqual(sorted(found), helpers)
                for name, pid in found.items():
                    self.assert_holds(f"/proc/{pid}", uid, AUDIT_CONTROL if name == "luatrail-kernel" else DAC_READ_SEARCH | SYS_PTRACE)
                    self.assertEqual(3 + 1 + (name == "luatrail-kernel"), len(os.listdir(f"/proc/{pid}/fd")))
                self.assertEqual("", self.finish(process))
                self.wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in found.values()))

    def test_the_filter_can_be_switched_off(self):
        process = self.started(f'[privileges]\nuser = "{USER}"\nseccomp = false\n')
        self.assertEqual(status_of(f"/proc/{process.pid}")["Seccomp"], "0")
        self.wait_until(lambda: self.status())
        self.assertIs(False, self.status()["privileges"]["seccomp"])

    def test_no_memory_is_writable_and_executable(self):
        maps = pathlib.Path(f"/proc/{self.started().pid}/maps").read_text()
        self.assertEqual([line for line in maps.splitlines() if re.search(r" rwx", line)], [])

    def test_as_that_user_it_saves_tells_and_reloads(self):
        uid = pwd.getpwnam(USER).pw_uid
        config = self.config(self.log / "log")
        config.write_text(config.read_text().replace("[state]\n", '[state]\nsave = "1s"\n'))
        process = self.start(config)
        self.wait_for_start(process)
        process.stdin.write(b"".join(live(ATTACK.lines())))
        process.stdin.flush()
        self.wait_for(self.log, 1)
        self.wait_until(lambda: (self.state / "state").exists() and self.status())
        self.assertEqual([uid, uid], [(self.state / "state").stat().st_uid, (self.dir / "status.json").stat().st_uid])
        status = self.status()
        self.assertEqual((USER, True), (status["privileges"]["user"], status["helpers"]["look_ups"]))
        self.signal(process, signal.SIGHUP)
        self.assertIn(b"reloaded\n", process.stderr.readline())
        config.chmod(0o600)  # and root's
        self.signal(process, signal.SIGHUP)
        said = process.stderr.readline().decode()
        self.assertIn(f"{config}: Permission denied", said)
        self.assertIn(f"({USER} may not read {config}: the plugin runs as that user; make it readable, or restart auditd)", said)
        self.assertIn("the old configuration stays in force", said)
        process.stdin.write(b"".join(later(live(ATTACK.lines()), 3600)))
        self.assertEqual("", self.finish(process))
        self.stop_rsyslog(self.log)
        self.assertEqual(2, len(self.received(self.log)))

    def test_the_state_of_an_older_plugin_that_was_root_is_taken_over(self):
        lines = live(ATTACK.lines())
        run = next(at for at, line in enumerate(lines) if harness.event_id(line) == harness.event_id_of(ATTACK.replayed.findings()[0]["events"][0]))
        config = self.config(self.log / "log", more='[privileges]\nuser = "root"\n')
        process = self.start(config)
        process.stdin.write(b"".join(lines[:run]))
        process.stdin.flush()
        self.signal(process, signal.SIGTERM)
        self.assertEqual("", self.finish(process))
        self.assertEqual(0, (self.state / "state").stat().st_uid)
        config = self.config(self.log / "log")
        self.assertEqual("", self.finish(self.start(config, keep_state=True), b"".join(lines[run:])))
        self.stop_rsyslog(self.log)
        self.assertEqual(self.received(self.log), ATTACK.replayed.findings())

    def test_it_stays_root_where_it_must_and_says_so(self):
        other = self.dir / "shared"
        other.mkdir()
        (other / "others").write_text("")
        for more, directory, why in (
            ('[privileges]\nuser = "no-such-user"\n', self.state, "there is no user no-such-user"),
            (f'[privileges]\nuser = "{USER}"\n', other, f"{USER} cannot write in {other}, which others use, too"),
        ):
            with self.subTest(why=why):
                config = self.config(self.log / "log", more=more)
                config.write_text(config.read_text().replace(f'"{self.state}"', f'"{directory}"'))
                process = self.start(config)
                self.wait_for_start(process)
                self.assertEqual("0", status_of(f"/proc/{process.pid}")["Uid"].split()[0])
                said = self.finish(process)
                self.assertIn(f"luatrail: the plugin reads records as root: {why}", said)
                self.assertEqual(said.count("\n"), 1, said)
        self.stop_rsyslog(self.log)
        self.assertEqual(["stays-root"] * 2, [notice["kind"] for notice in self.received(self.log)])

    def test_a_switch_that_fails_is_told(self):
        config = self.config(self.log / "log")
        process = subprocess.Popen(
            ["setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid", harness.LUATRAIL, "plugin", f"--config={config}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.environment(),
        )  # fmt: skip
        self.addCleanup(self.end, process)
        self.assertIn("as root: it may not become nobody: it was started without CAP_SETUID", self.finish(process, b""))

    def test_the_textfile_in_a_directory_of_others_is_rewritten_in_place(self):
        directory = self.dir / "node-exporter"
        directory.mkdir()
        (directory / "other.prom").write_text("")
        config = self.config(self.log / "log")
        config.write_text(config.read_text().replace("[status]\n", f'[status]\nprometheus = "{directory}/luatrail.prom"\n'))
        self.assertEqual("", self.run_plugin(config, b""))
        self.assertIn("luatrail_up 0\n", (directory / "luatrail.prom").read_text())
        self.assertEqual(["luatrail.prom", "other.prom"], sorted(path.name for path in directory.iterdir()))

    def look(self, process, again):
        """The finding of a run of Lua by root that still runs, with a script of its own."""
        script = self.dir / f"run{again}.lua"
        script.write_text("io.read()\n")
        lua = subprocess.Popen(["lua5.4", script], stdin=subprocess.PIPE, env={"LUA_PATH": "/x/?.lua", "PATH": "/usr/bin"})
        self.addCleanup(self.end, lua)
        exe = os.path.realpath("/usr/bin/lua5.4")
        self.wait_until(lambda: os.readlink(f"/proc/{lua.pid}/exe") == exe)
        stamp = b"audit(%d.000:%d)" % (int(time.time()) + 1, 900 + again)
        text = (
            'type=SYSCALL msg=@: arch=c000003e syscall=59 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=2 ppid=1 pid=%d auid=0 uid=0 gid=0 euid=0 '
            'suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm="lua5.4" exe="%s" key="x"\n'
            'type=EXECVE msg=@: argc=2 a0="lua5.4" a1="%s"\ntype=CWD msg=@: cwd="/"\n'
            'type=PATH msg=@: item=0 name="%s" inode=1 dev=fd:00 mode=0100755 ouid=0 ogid=0 nametype=NORMAL\ntype=EOE msg=@: \n'
        ) % (lua.pid, exe, script, exe)
        before = len(self.received(self.log))
        process.stdin.write(text.encode().replace(b"@", stamp))
        process.stdin.flush()
        self.wait_until(lambda: len(self.received(self.log)) > before)
        return self.received(self.log)[before]

    def test_a_process_of_root_is_looked_at_until_the_helper_is_killed(self):
        harness.needs("lua5.4")
        process = self.started()
        for again in range(1, 50):  # each look has 40 ms, which a busy machine may take longer for
            evidence = self.look(process, again)["evidence"]
            if "not looked at" not in evidence.get("note", ""):
                break
        self.assertEqual(["LUA_PATH=/x/?.lua"], evidence.get("environment"), evidence)
        self.assertEqual("io.read()", evidence["script"]["first_line"])
        self.assertEqual(64, len(evidence["interpreter"]["sha256"]))
        os.kill(helpers_of(process.pid)["luatrail-look"], signal.SIGKILL)
        self.assertIn(b"the plugin's child process for look_ups has ended", process.stderr.readline())
        self.wait_for(self.log, again + 1)
        self.wait_until(lambda: self.status().get("helpers", {}).get("look_ups") is False)
        found = [one for one in [self.look(process, 99)] if one["schema"] == "luatrail/finding/1"]
        self.assertEqual(["not looked at: the helper that looks has ended; restart auditd"], [one["evidence"]["note"] for one in found])
        self.assertEqual("", self.finish(process))
        self.assertGreater(self.status()["look_ups"]["ended"], 0)
        self.assertIn("helper-ended", [one.get("kind") for one in self.received(self.log)])
        self.assertIn("look_ups HAS ENDED", harness.run("status", "--file", self.dir / "status.json").out.decode())


if __name__ == "__main__":
    unittest.main()
