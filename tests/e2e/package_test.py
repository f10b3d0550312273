"""The packages on a system of their own: this machine's, under an overlay that keeps every change, with a real auditd.

PACKAGES names a directory where the build's cpack configuration is (CMakeLists.txt sets it).
"""
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import harness
import kernel
from live_case import wait_until
from plugin_case import without_helpers

BUILD = pathlib.Path(os.environ.get("PACKAGES") or harness.ROOT / "build" / "release")
PLUGIN_FILE = "etc/audit/plugins.d/luatrail.conf"


class System:
    """A copy of this system that costs nothing: an overlay on memory."""

    def __init__(self, directory):
        self.root = directory / "root"
        self.stack = contextlib.ExitStack()
        (directory / "memory").mkdir()
        self.root.mkdir()
        self.mount("-t", "tmpfs", "none", directory / "memory")
        (directory / "memory" / "upper").mkdir()
        (directory / "memory" / "work").mkdir()
        layers = f"lowerdir=/,upperdir={directory}/memory/upper,workdir={directory}/memory/work"
        self.mount("-t", "overlay", "-o", layers, "overlay", self.root)
        for name in ("proc", "sys", "dev"):
            self.mount("--bind", f"/{name}", self.root / name)
        self.mount("-t", "tmpfs", "none", self.root / "run")

    def mount(self, *arguments):
        subprocess.run(["mount", *map(str, arguments)], check=True)
        self.stack.callback(subprocess.run, ["umount", "--lazy", str(arguments[-1])], check=False)

    def run(self, *words, check=True):
        environment = {"PATH": kernel.PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(
            ["chroot", self.root, *map(str, words)], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=harness.TIMEOUT,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}")
        return done.stdout

    def path(self, name):
        return self.root / name

    def running(self, program):
        """Process ids of a program of this system."""
        found = []
        for directory in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(directory / "exe") in (str(self.root / program), f"{self.root / program} (deleted)"):
                    found.append(int(directory.name))
        return found


class PackageTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))  # each package once

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root may mount and install")
        harness.needs("auditd")
        harness.needs("lua5.4")
        self.audit = kernel.KernelAudit()
        self.audit.__enter__()
        self.addCleanup(self.audit.__exit__)
        self.dir = self.directory()
        self.system = System(self.dir)
        self.addCleanup(self.system.stack.close)
        self.packages = self.system.path("packages")
        self.packages.mkdir()
        self.auditd = None

    def package(self, generator, version="0.1.0"):
        """Made by cpack. Returns its name in the system."""
        out = self.made / f"{generator}-{version}"
        if not out.exists():
            done = subprocess.run(
                ["cpack", "-G", generator, "-D", f"CPACK_PACKAGE_VERSION={version}", "-B", out],
                cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(0, done.returncode, done.stdout)
        (made,) = out.glob(f"luatrail[-_]{version}*.{generator.lower()}")
        (self.packages / made.name).write_bytes(made.read_bytes())
        return f"/packages/{made.name}"

    def start_auditd(self):
        """As the distribution configures it; what it says goes to auditd.out."""
        with open(self.dir / "auditd.out", "ab") as out:
            self.auditd = subprocess.Popen(["chroot", self.system.root, "auditd", "-n"], stdout=out, stderr=out, env={"PATH": kernel.PATH})
        self.addCleanup(self.stop_auditd)
        self.assertTrue(wait_until(lambda: kernel.status()["pid"] == str(self.auditd.pid)), self.auditd_said())
        kernel.auditctl("-b", 65536)

    def stop_auditd(self):
        if self.auditd is not None:
            self.auditd.terminate()
            self.auditd.wait(timeout=30)
            self.auditd = None

    def auditd_said(self):
        return (self.dir / "auditd.out").read_text()

    def plugins(self):
        return without_helpers(self.system.running("usr/bin/luatrail"))

    def wait_for_plugin(self, other_than=()):
        def there():
            subprocess.run(["true"], check=True)  # auditd notices an end when it has an event
            found = self.plugins()
            return len(found) == 1 and found[0] not in other_than

        self.assertTrue(wait_until(there), self.auditd_said())
        return self.plugins()[0]

    def findings(self):
        path = self.system.path("run/luatrail/status.json")
        return sum(json.loads(path.read_text())["findings"].values()) if path.exists() else 0

    def assert_is_luatrails(self, pid):
        """It runs as the user that the package made, without capabilities, and so do the state and the status."""
        self.assertTrue(wait_until(lambda: self.system.path("run/luatrail/status.json").exists()), self.auditd_said())
        uid = int(self.system.run("id", "-u", "luatrail"))
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertIn("Uid:" + f"\t{uid}" * 4 + "\n", status)
        self.assertIn("CapPrm:\t0000000000000000\n", status)
        self.assertEqual(uid, self.system.path("run/luatrail/status.json").stat().st_uid)
        self.assertEqual(uid, self.system.path("var/lib/luatrail/lock").stat().st_uid)

    def load_rules(self):
        """As the manual says; augenrules' own file has -D, -b and -f 1."""
        self.system.run("sh", "-c", "luatrail rules --profile lean >/etc/audit/rules.d/30-luatrail.rules && augenrules --load")
        kernel.auditctl("-b", 65536)
        seen = self.system.run("luatrail", "doctor", "--profile", "lean", "--format", "json", check=False)
        self.assertEqual([], [row["id"] for row in json.loads(seen)["coverage"] if row["state"] != row["wanted"]])

    def drop_and_run(self, name):
        self.system.run("sh", "-c", f"echo 'return 1' >/tmp/{name}.lua && lua5.4 /tmp/{name}.lua")

    def left(self):
        """Whatever of luatrail is in the system's directories."""
        found = []
        for directory in ("etc", "usr/bin", "usr/share/luatrail", "usr/share/doc/luatrail", "usr/share/man", "var/lib/luatrail", "run"):
            found += [str(path.relative_to(self.system.root)) for path in self.system.path(directory).rglob("*luatrail*")]
        return sorted(set(found) - {"etc/audit/rules.d/30-luatrail.rules"})  # that was made by hand

    def test_deb_from_install_to_purge(self):
        first, second = self.package("DEB"), self.package("DEB", "0.1.1")
        self.start_auditd()

        said = self.system.run("dpkg", "-i", first)
        self.assertIn("luatrail rules >/etc/audit/rules.d/30-luatrail.rules", said)
        pid = self.wait_for_plugin()
        self.assertIn("luatrail 0.1.0", self.system.run("luatrail", "--version"))
        directory = self.system.path("var/lib/luatrail").stat()
        self.assertEqual((0o1770, 0), (directory.st_mode & 0o7777, directory.st_uid))
        self.assert_is_luatrails(pid)
        self.load_rules()
        self.drop_and_run("installed")
        self.assertTrue(wait_until(lambda: self.findings() == 1), self.auditd_said())
        self.assertIn("1 high", self.system.run("luatrail", "status"))
        self.assertEqual("", self.system.run("dpkg", "--verify", "luatrail"))
        self.assertIn("luatrail 0.1.0-1 (executable", self.system.run("luatrail", "inventory", "owner", "/usr/bin/luatrail"))
        self.assertIn("LUATRAIL-RULES(7)", self.system.run("mandoc", "-T", "ascii", "/usr/share/man/man7/luatrail-rules.7.gz"))

        # An upgrade: the administrator's changes stay, and what the plugin knew.
        config = self.system.path("etc/luatrail/luatrail.toml")
        config.write_text(config.read_text().replace('window = "10m"', 'window = "5m"'))
        self.system.run("sh", "-c", "echo 'return 1' >/tmp/before.lua")
        time.sleep(1)
        said = self.system.run("dpkg", "-i", second)
        self.assertNotIn("To load those", said)
        upgraded = self.wait_for_plugin(other_than=[pid])
        self.assertIn('window = "5m"', config.read_text())
        self.system.run("lua5.4", "/tmp/before.lua")
        self.assertTrue(wait_until(lambda: self.findings() == 1), self.auditd_said())
        self.assertEqual(os.readlink(f"/proc/{upgraded}/exe"), str(self.system.path("usr/bin/luatrail")))

        # Removed: auditd goes on, and has no plugin that it cannot start. Installed again: as it was.
        plugin_file = self.system.path(PLUGIN_FILE)
        plugin_file.write_text(plugin_file.read_text() + "# mine\n")
        self.system.run("dpkg", "-r", "luatrail")
        self.assertTrue(wait_until(lambda: not self.plugins()))
        self.assertIsNone(self.auditd.poll())
        self.assertFalse(plugin_file.exists())
        self.stop_auditd()
        self.start_auditd()
        self.assertNotIn("luatrail", self.auditd_said())
        self.system.run("dpkg", "-i", second)
        self.wait_for_plugin()
        self.assertTrue(plugin_file.read_text().endswith("# mine\n"))
        self.assertIn('window = "5m"', config.read_text())

        self.system.run("dpkg", "--purge", "luatrail")
        self.assertTrue(wait_until(lambda: not self.plugins()))
        self.assertIsNone(self.auditd.poll())
        self.assertEqual([], self.left())

    def test_deb_where_no_auditd_runs_and_with_a_wrong_configuration(self):
        first, second = self.package("DEB"), self.package("DEB", "0.1.1")
        self.system.run("dpkg", "-i", first)
        self.assertEqual([], self.plugins())
        self.system.path("etc/luatrail/luatrail.toml").write_text("[engin]\n")
        said = self.system.run("dpkg", "-i", second)
        self.assertIn("engin: unknown key", said)
        self.assertIn("the plugin will not start until its configuration is right", said)
        self.system.run("dpkg", "--purge", "luatrail")
        self.assertEqual([], self.left())

    def test_rpm_from_install_to_removal(self):
        first, second = self.package("RPM"), self.package("RPM", "0.1.1")
        self.start_auditd()
        # This system's libraries are dpkg's; rpm 4.20's plugin unshare does not work in a chroot.
        rpm = ("rpm", "--dbpath", "/rpmdb", "--nodeps", "--noplugins")
        self.system.run(*rpm, "-i", first)
        pid = self.wait_for_plugin()
        self.assert_is_luatrails(pid)
        configs = self.system.run("rpm", "--dbpath", "/rpmdb", "-qc", "luatrail").split()
        self.assertEqual([f"/{PLUGIN_FILE}", "/etc/luatrail/luatrail.toml"], configs)
        self.assertEqual("", self.system.run("rpm", "--dbpath", "/rpmdb", "--nodeps", "-V", "luatrail"))
        config = self.system.path("etc/luatrail/luatrail.toml")
        config.write_text(config.read_text().replace('window = "10m"', 'window = "5m"'))
        self.load_rules()
        self.drop_and_run("installed")
        self.assertTrue(wait_until(lambda: self.findings() == 1), self.auditd_said())
        self.system.run(*rpm, "-U", second)
        self.wait_for_plugin(other_than=[pid])
        self.assertIn('window = "5m"', config.read_text())
        self.assertIn("luatrail-0.1.1-1", self.system.run("rpm", "--dbpath", "/rpmdb", "-q", "luatrail"))
        self.system.run(*rpm, "-e", "luatrail")
        self.assertTrue(wait_until(lambda: not self.plugins()))
        self.assertIsNone(self.auditd.poll())
        self.assertFalse(self.system.path(PLUGIN_FILE).exists())
        self.assertIn("etc/luatrail/luatrail.toml.rpmsave", self.left())


if __name__ == "__main__":
    unittest.main()
