"""Real Debian packages that run Lua, recorded on a real kernel: the baseline that their inventory gives expects all of it, and hides no attack.

A directory of fixtures/packages may hold a reviewed baseline.toml beside: what no package database can say. Where scenario.toml
says `gap`, luatrail reports what it should not, and why; then it must, so that the key goes when the gap is closed.
"""
import lzma
import tomllib
import unittest

import harness
from plugin_case import shifted

PACKAGES = harness.ROOT / "fixtures" / "packages"
ATTACKS = ("shm-luajit-relative", "drop-other-user", "copy-cp")


def packages():
    return sorted(path.parent for path in PACKAGES.glob("*/audit.log.xz"))


def gap(package):
    return tomllib.loads((package / "scenario.toml").read_text()).get("gap")


class PackagesTest(harness.TestCase):
    def baselines(self, package):
        made = self.directory() / "built.toml"
        result = harness.run("baseline", "build", "--inventory", package / "inventory", "-o", made)
        self.assertEqual(0, result.status, result.err)
        arguments = ["--inventory", package / "inventory", "--baseline", made]
        reviewed = package / "baseline.toml"
        return arguments + (["--baseline", reviewed] if reviewed.exists() else [])

    def replay(self, arguments, log):
        return harness.run("replay", "--format", "json", *arguments, log)

    def mixed(self, package, attack):
        """The recording with the attack's events in its midst, in two halves."""
        lines = lzma.open(package / "audit.log.xz").read().splitlines(keepends=True)
        newest = max(ident[0] for ident in map(harness.event_id, lines) if ident)
        oldest = min(ident[0] for ident in map(harness.event_id, attack.lines()) if ident)
        later = shifted(attack.lines(), newest - oldest + 5)
        path = self.directory() / "audit.log"
        path.write_bytes(b"".join(lines[: len(lines) // 2] + later[: len(later) // 2] + lines[len(lines) // 2 :] + later[len(later) // 2 :]))
        return path

    @staticmethod
    def severe(findings):
        return [finding for finding in findings if finding["severity"] in ("high", "critical")]

    @staticmethod
    def kinds(findings):
        return sorted({entry["kind"] for finding in findings for entry in finding["chain"]})

    def test_what_packages_do_is_expected(self):
        self.assertGreaterEqual(len(packages()), 30)
        for package in packages():
            with self.subTest(package.name):
                result = self.replay(self.baselines(package), package / "audit.log.xz")
                titles = [finding["title"] for finding in result.findings()]
                if gap(package):
                    self.assertEqual((1, ""), (result.status, result.err))
                    self.assertNotEqual([], titles, "the gap is closed: remove `gap`")
                else:
                    self.assertEqual((0, ""), (result.status, result.err))
                    self.assertEqual([], titles)

    def test_attacks_in_the_midst_of_it_are_found(self):
        for package in packages():
            arguments = self.baselines(package)
            for name in ATTACKS:
                attack = harness.scenario(name)
                with self.subTest(package=package.name, attack=name):
                    found = self.severe(self.replay(arguments, self.mixed(package, attack)).findings())
                    wanted = self.severe(attack.replayed.findings())
                    self.assertTrue(wanted)
                    if gap(package):
                        self.assertLessEqual(set(self.kinds(wanted)), set(self.kinds(found)))
                    else:
                        self.assertEqual(self.kinds(wanted), self.kinds(found))
                    self.assertGreaterEqual(len(found), len(wanted))


if __name__ == "__main__":
    unittest.main()
