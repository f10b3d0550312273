"""Real Debian packages that run Lua, recorded on a real kernel: the baseline that their inventory gives expects all of it, and hides no attack.

A folder of fixtures/packages may hold a reviewed baseline.toml beside: what no package database can say.
"""
import lzma
import unittest

import harness
from plugin_case import shifted

PACKAGES = harness.ROOT / "fixtures" / "packages"
ATTACKS = ("shm-luajit-relative", "drop-other-user", "copy-cp")


class PackagesTest(harness.TestCase):
    def baselines(self, package):
        made = self.folder() / "built.toml"
        result = harness.run("baseline", "build", "--inventory", package / "inventory", "-o", made)
        self.assertEqual(0, result.status, result.err)
        arguments = ["--inventory", package / "inventory", "--baseline", made]
        reviewed = package / "baseline.toml"
        return arguments + (["--baseline", reviewed] if reviewed.exists() else [])

    def replay(self, arguments, log):
        return harness.run("replay", "--format", "json", *arguments, log)

    def test_what_packages_do_is_expected(self):
        packages = sorted(path.parent for path in PACKAGES.glob("*/audit.log.xz"))
        self.assertGreaterEqual(len(packages), 15)
        for package in packages:
            with self.subTest(package.name):
                result = self.replay(self.baselines(package), package / "audit.log.xz")
                self.assertEqual((0, ""), (result.status, result.err))
                self.assertEqual([], [finding["title"] for finding in result.findings()])

    def test_attacks_in_the_midst_of_it_are_found(self):
        for package in sorted(path.parent for path in PACKAGES.glob("*/audit.log.xz")):
            lines = lzma.open(package / "audit.log.xz").read().splitlines(keepends=True)
            newest = max(ident[0] for ident in map(harness.event_id, lines) if ident)
            for name in ATTACKS:
                attack = harness.scenario(name)
                with self.subTest(package=package.name, attack=name):
                    own = attack.lines()
                    oldest = min(ident[0] for ident in map(harness.event_id, own) if ident)
                    mixed = self.folder() / "audit.log"
                    half = len(lines) // 2
                    later = shifted(own, newest - oldest + 5)
                    mixed.write_bytes(b"".join(lines[:half] + later[: len(later) // 2] + lines[half:] + later[len(later) // 2 :]))
                    found = self.replay(self.baselines(package), mixed).findings()
                    severe = [finding for finding in found if finding["severity"] in ("high", "critical")]
                    wanted = [finding for finding in attack.replayed.findings() if finding["severity"] in ("high", "critical")]
                    self.assertTrue(wanted)
                    self.assertEqual(
                        sorted({entry["kind"] for finding in wanted for entry in finding["chain"]}),
                        sorted({entry["kind"] for finding in severe for entry in finding["chain"]}),
                    )
                    self.assertGreaterEqual(len(severe), len(wanted))


if __name__ == "__main__":
    unittest.main()
