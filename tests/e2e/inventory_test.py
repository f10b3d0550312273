"""`luatrail inventory` on the miniature roots of fixtures/hosts, and on this host beside what its own dpkg says."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import harness

HOSTS = harness.ROOT / "fixtures" / "hosts"


class InventoryCase(harness.TestCase):
    def setUp(self):
        self.file = self.directory() / "inventory"

    def build(self, root, status=0):
        result = harness.run("inventory", "build", "--root", root, "-o", self.file)
        self.assertEqual((status, b""), (result.status, result.out), result.err)
        return result.err

    def shown(self):
        result = harness.run("inventory", "show", "--inventory", self.file, "--format", "json")
        self.assertEqual((0, ""), (result.status, result.err))
        return json.loads(result.out)

    def owner(self, path):
        result = harness.run("inventory", "owner", "--inventory", self.file, path)
        text = result.out.decode()
        self.assertTrue(text.startswith(f"{path}: "), text)
        self.assertEqual(1 if "owned by no package" in text else 0, result.status)
        return text[len(path) + 2 : -1]

    def owners(self, expected):
        for path, told in expected.items():
            with self.subTest(path=path):
                self.assertEqual(told or "owned by no package, or nothing that runs", self.owner(path))


class HostsTest(InventoryCase):
    def test_debian_with_a_merged_usr(self):
        said = self.build(HOSTS / "debian-merged" / "root")
        self.owners(
            {
                "/usr/bin/lua5.4": "lua5.4 5.4.4-3 (interpreter, digest matches)",
                "/bin/lua5.4": "lua5.4 5.4.4-3 (interpreter, digest matches, by alias: /usr/bin/lua5.4)",
                "/usr/bin/lua": "lua5.4 5.4.4-3 (interpreter, digest matches, by alternative: /usr/bin/lua5.4)",
                "/usr/bin/luajit": "luajit 2.1.0~beta3-1 (interpreter, digest matches, by link: /usr/bin/luajit-2.1.0-beta3)",
                "/etc/alternatives/lua-interpreter": "lua5.4 5.4.4-3 (interpreter, digest matches, by alternative: /usr/bin/lua5.4)",
                "/bin/lua": "lua5.4 5.4.4-3 (interpreter, digest matches, by alternative: /usr/bin/lua5.4)",
                # What a dpkg that runs has in its journal: configured, unpacked, removed.
                "/usr/bin/half": "half 2.0-1 (executable, digest unchecked)",
                "/bin/half": "half 2.0-1 (executable, digest unchecked, by alias: /usr/bin/half)",
                "/usr/bin/journal": "journal 3.0-1 (executable, digest unchecked)",
                "/usr/bin/legacy": None,
                "/usr/bin/prosody": "prosody 0.12.3-1 (lua-script, digest matches)",
                "/usr/bin/prosodyctl": "prosody 0.12.3-1 (lua-script, digest matches)",
                "/usr/lib/prosody/util/x.lua": "prosody 0.12.3-1 (lua-module, digest differs)",
                "/usr/lib/prosody/util/excluded.lua": "prosody 0.12.3-1 (lua-module, digest missing)",
                "/usr/lib/x86_64-linux-gnu/lua/5.4/lxp.so": "lua-expat 1.5.1-1 (lua-module, digest differs)",
                "/usr/bin/tool": "diverter 1.0-1 (lua-script, digest unchecked)",
                "/usr/bin/tool.real": "diverted 1.0-1 (executable, digest unchecked, by diversion: /usr/bin/tool.real)",
                "/opt/third/run one.lua": "third-party 9 (lua-module, digest matches)",
                "/opt/third/sum256.lua": "third-party 9 (lua-module, digest matches)",
                "/opt/third/ünï.lua": "third-party 9 (lua-module, digest matches)",
                "/opt/third/dot.lua": "third-party 9 (lua-module, digest matches)",
                "/usr/bin/removed": None,
                "/usr/local/bin/lua5.1": None,
                "/usr/bin/nothing": None,
                "lua": None,
            }
        )
        facts = self.shown()
        self.assertEqual("Debian GNU/Linux 12 (bookworm)", facts["system"])
        self.assertEqual(["dpkg"], facts["databases"])
        interpreters = {one["path"]: (one["profile"], one["version"], one["package"]) for one in facts["interpreters"]}
        self.assertEqual(
            {
                "/usr/bin/lua5.4": ("lua", "5.4.4", "lua5.4"),
                "/usr/bin/luajit-2.1.0-beta3": ("luajit", "2.1.0-beta3", "luajit"),
                "/usr/local/bin/lua5.1": ("lua", "5.1.5", None),
            },
            interpreters,
        )
        needs = {one["name"]: one["needs_lua_by"] for one in facts["packages"] if one["needs_lua_by"]}
        # A virtual name, an alternative that is not installed, and a way over another package.
        self.assertEqual({"lua-expat": ["lua5.4"], "prosody": ["lua-expat", "lua5.4"], "third-party": ["lua5.4"]}, needs)
        self.assertEqual({"lua5.4", "liblua5.4-0", "luajit", "libluajit-5.1-2"}, {one["name"] for one in facts["packages"] if one["lua"]})
        units = {one["name"]: (one["user"], one["commands"], one["package"]) for one in facts["units"]}
        self.assertEqual(
            {
                "prosody.service": ("prosody", ["/usr/bin/prosody -F"], "prosody"),
                "own.service": ("www-data", ["/usr/bin/lua5.4 /srv/own.lua"], None),
            },
            units,
        )
        self.assertEqual(
            [("prosody", "/usr/bin/prosodyctl check"), ("root", "/usr/bin/lua5.4 /srv/boot.lua")],
            [(one["user"], one["command"]) for one in facts["cron"]],
        )
        accounts = {one["name"]: one["service"] for one in facts["accounts"]}
        self.assertEqual({"root": False, "prosody": True, "me": False, "nobody": True}, accounts)
        complaints = [
            "/var/lib/dpkg/info/no-list.list: not there: what the package owns is not known",
            "/var/lib/dpkg/info/third-party.md5sums:5: no digest and path",
            "/var/lib/dpkg/diversions:4: a diversion that is cut",
            "/etc/crontab:2: no entry of a crontab",
            "/etc/passwd:5: no account",
        ]
        for complaint in complaints:
            self.assertIn(f"luatrail: {complaint}\n", said)
        self.assertRegex(said, r"status:\d+: no package's name\n")
        self.assertRegex(said, r"status:\d+: neither a field nor the end of a stanza\n")
        self.assertEqual(len(complaints) + 2, len(facts["complaints"]), facts["complaints"])

    def test_debian_with_an_unmerged_usr(self):
        self.build(HOSTS / "debian-unmerged" / "root")
        self.owners(
            {
                "/bin/legacy": "old-bin 1.0-1 (executable, digest unchecked)",
                "/usr/bin/legacy": None,  # another file
                "/bin/lua5.4": None,
                "/usr/bin/lua5.4": "lua5.4 5.4.4-3 (interpreter, digest matches)",
            }
        )

    def test_an_image_without_dpkg(self):
        self.build(HOSTS / "distroless" / "root")
        self.owners({"/usr/bin/lua5.4": "lua5.4 5.4.4-3 (interpreter, digest matches)"})

    def test_alpine(self):
        said = self.build(HOSTS / "alpine" / "root")
        self.owners(
            {
                "/usr/bin/lua5.4": "lua5.4 5.4.6-r4 (interpreter, digest matches)",
                "/usr/bin/tool": "tool 1-r0 (lua-script, digest matches)",
                "/usr/share/lua/5.4/m.lua": "tool 1-r0 (lua-module, digest differs)",
            }
        )
        needs = {one["name"]: one["needs_lua_by"] for one in self.shown()["packages"] if one["needs_lua_by"]}
        self.assertEqual({"tool": ["lua5.4"]}, needs)
        self.assertIn("/lib/apk/db/installed:30: no field", said)

    def test_arch(self):
        said = self.build(HOSTS / "arch" / "root")
        self.owners(
            {
                "/usr/bin/lua5.4": "lua54 5.4.6-1 (interpreter, digest matches)",
                "/usr/bin/lua tool": "tool 1-1 (lua-script, digest differs)",
            }
        )
        needs = {one["name"]: one["needs_lua_by"] for one in self.shown()["packages"] if one["needs_lua_by"]}
        self.assertEqual({"tool": ["lua54"]}, needs)
        self.assertIn("broken-1-1/desc: no package's name", said)
        self.assertIn("empty-1-1/desc: not there", said)

    def test_fedora(self):
        helper = os.environ.get("RPM_HELPER", "")
        if not os.path.exists(helper):
            if os.environ.get("CI") == "true":
                self.fail("the helper for rpm was not built: is librpm-dev installed?")
            self.skipTest("the helper for rpm was not built")
        root = HOSTS / "fedora" / "root"
        before = sorted(path.name for path in (root / "usr/lib/sysimage/rpm").iterdir())
        result = harness.run("inventory", "build", "--root", root, "-o", self.file, "--rpm-helper", helper)
        self.assertEqual((0, b""), (result.status, result.out), result.err)
        self.assertEqual(before, sorted(path.name for path in (root / "usr/lib/sysimage/rpm").iterdir()))
        self.owners(
            {
                "/usr/bin/lua": "lua 5.4.6-1 (interpreter, digest matches)",
                "/usr/bin/lua-tool": "lua-tool 5.4.6-1 (lua-script, digest matches)",
                "/usr/share/lua/5.4/m.lua": "lua-tool 5.4.6-1 (lua-module, digest differs)",
                "/usr/share/lua/5.4/odd name.lua": "lua-tool 5.4.6-1 (lua-module, digest matches)",
                "/usr/libexec/over": "over 5.4.6-1 (executable, digest unchecked)",
                "/var/log/over.lua": None,  # %ghost
            }
        )
        needs = {one["name"]: one["needs_lua_by"] for one in self.shown()["packages"] if one["needs_lua_by"]}
        self.assertEqual({"lua-tool": ["lua"], "over": ["lua-tool", "lua"]}, needs)  # by the file that it requires
        fedoras = [one["name"] for one in self.shown()["packages"]]
        # On ostree's hosts the database is elsewhere, and links lead to it from where it was.
        ostree = self.directory() / "root"
        shutil.copytree(root, ostree, symlinks=True)
        (ostree / "usr/share").mkdir(exist_ok=True)
        (ostree / "usr/lib/sysimage/rpm").rename(ostree / "usr/share/rpm")
        for links in ({}, {"usr/lib/sysimage/rpm": "../../share/rpm", "var/lib/rpm": "../../usr/share/rpm"}):
            for link, target in links.items():
                (ostree / link).parent.mkdir(parents=True, exist_ok=True)
                (ostree / link).symlink_to(target)
            result = harness.run("inventory", "build", "--root", ostree, "-o", self.file, "--rpm-helper", helper)
            self.assertEqual((0, b""), (result.status, result.out), result.err)
            self.assertEqual(fedoras, [one["name"] for one in self.shown()["packages"]])

    def test_an_rpm_database_without_the_helper_is_told(self):
        result = harness.run("inventory", "build", "--root", HOSTS / "fedora" / "root", "-o", self.file, "--rpm-helper", "/nonexistent")
        self.assertEqual(0, result.status)
        self.assertIn("rpm's database: not read: the program /nonexistent is not there", result.err)

    def test_no_link_leads_out_of_the_root(self):
        said = self.build(HOSTS / "hostile" / "root")
        facts = json.dumps(self.shown())
        for line in pathlib.Path("/etc/passwd").read_text().splitlines():
            self.assertNotIn(line, facts)
        self.assertNotIn("nologin", facts)
        self.assertEqual([], self.shown()["accounts"])
        self.assertEqual([], self.shown()["interpreters"])
        self.owners({"/usr/bin/out": None, "/usr/bin/loop": None, "/usr/bin/up": None, "/usr/bin/lua5.4": None, "/etc/passwd": None})
        self.assertIn("no package's name", said)  # one with a path in it
        self.assertIn("info/secrets.list: not there", said)

    def test_a_root_without_a_database(self):
        self.assertEqual(
            f"luatrail: {HOSTS}/none/root: no package database of dpkg, rpm, apk or pacman is below it; name a system's root with --root\n",
            self.build(HOSTS / "none" / "root", status=2),
        )
        self.assertFalse(self.file.exists())
        self.assertIn("No such file or directory; name the directory of a system's root", self.build("/nonexistent", status=2))

    def test_every_root_twice_is_the_same_but_for_its_time(self):
        for host in ("debian-merged", "alpine", "arch"):
            facts = []
            for _ in range(2):
                self.build(HOSTS / host / "root")
                facts.append({key: value for key, value in self.shown().items() if key != "built"})
            self.assertEqual(*facts)


class FileTest(InventoryCase):
    def test_what_is_cut_altered_or_of_another_version_is_refused(self):
        self.build(HOSTS / "debian-merged" / "root")
        good = self.file.read_bytes()
        altered = bytearray(good)
        altered[len(good) // 2] ^= 1
        cases = {
            bytes(altered): "it was cut or altered",
            good[:-1]: "it was cut or altered",
            good + b"x": "it was cut or altered",
            b"": "no inventory of luatrail",
            b"\0" * 50: "no inventory of luatrail",
            good.replace(b"inventory 1 ", b"inventory 99 ", 1): "another version of luatrail made it",
        }
        for content, why in cases.items():
            self.file.write_bytes(content)
            for command in (("show",), ("owner", "/bin/sh")):
                result = harness.run("inventory", command[0], "--inventory", self.file, *command[1:])
                self.assertEqual((2, b""), (result.status, result.out))
                self.assertEqual(f"luatrail: {self.file}: {why}; build it again with `luatrail inventory build`\n", result.err)
        self.file.unlink()
        result = harness.run("inventory", "show", "--inventory", self.file)
        self.assertEqual(2, result.status)
        self.assertIn("No such file or directory; make it with", result.err)

    def test_a_page_for_a_person(self):
        self.build(HOSTS / "debian-merged" / "root")
        text = harness.run("inventory", "show", "--inventory", self.file).out.decode()
        for line in (
            "  /usr/bin/lua5.4  lua 5.4.4, lua5.4\n",
            "  /usr/local/bin/lua5.1  lua 5.1.5, no package\n",
            "  prosody 0.12.3-1: by lua-expat, lua5.4\n",
            "  prosody.service as prosody: /usr/bin/prosody -F (prosody)\n",
            "  own.service as www-data: /usr/bin/lua5.4 /srv/own.lua (no package)\n",
            "  /etc/cron.d/prosody as root: /usr/bin/lua5.4 /srv/boot.lua\n",
            "  /usr/lib/prosody/util/x.lua  differs, prosody\n",
        ):
            self.assertIn(line, text)

    def test_a_file_that_cannot_be_written(self):
        result = harness.run("inventory", "build", "--root", HOSTS / "alpine" / "root", "-o", "/nonexistent/x")
        self.assertEqual(2, result.status)
        self.assertIn("luatrail: /nonexistent/x.new: No such file or directory; name a file in a directory that you may write", result.err)


class ThisHostTest(InventoryCase):
    def test_this_host_is_as_its_own_dpkg_says(self):
        harness.needs("dpkg-query")
        self.build("/")
        facts = self.shown()
        told = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], stdout=subprocess.PIPE, check=True, text=True).stdout
        installed = sorted(line.split()[0] for line in told.splitlines() if line.endswith(" installed"))
        self.assertEqual(installed, sorted(one["name"] for one in facts["packages"]))
        # Whom dpkg names for a path, the inventory names, too; paths that dpkg lists by /bin are the ones of /usr/bin.
        some = [one for one in facts["files"] if not one["diverted"]][:: max(1, len(facts["files"]) // 60)]
        for one in some:
            names = [one["path"], one["path"].removeprefix("/usr")]
            done = subprocess.run(["dpkg-query", "-S", *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
            owners = {name.split(":")[0] for line in done.stdout.splitlines() if ": " in line for name in line.split(": ")[0].split(", ")}
            self.assertIn(one["package"], owners, one)
        self.assertLess(self.file.stat().st_size, 10_000_000)
        if shutil.which("lua5.4") and os.path.realpath("/usr/bin/lua5.4") == "/usr/bin/lua5.4":
            self.assertIn(("/usr/bin/lua5.4", "lua5.4"), {(one["path"], one["package"]) for one in facts["interpreters"]})


if __name__ == "__main__":
    unittest.main()
