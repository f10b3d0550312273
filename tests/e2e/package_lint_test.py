"""What the distributions' checkers say of the packages, and whether one build's packages are the same twice.

PACKAGES names a directory where the build's cpack configuration is (CMakeLists.txt sets it).
"""
import hashlib
import os
import pathlib
import subprocess
import unittest

import harness

BUILD = pathlib.Path(os.environ.get("PACKAGES") or harness.ROOT / "build" / "release")


class PackageLintTest(harness.TestCase):
    def made(self, generator, **environment):
        out = self.directory()
        done = subprocess.run(
            ["cpack", "-G", generator, "-B", out], cwd=BUILD, env={**os.environ, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stdout)
        packages = sorted(out.glob(f"*.{generator.lower()}"))
        self.assertTrue(packages)
        return packages

    def errors(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300)
        self.assertIn(done.returncode, (0, 2, 64), done.stdout)
        return [line for line in done.stdout.splitlines() if line.startswith("E: ") or ": E: " in line]

    def test_lintian_finds_no_error(self):
        lintian = harness.needs("lintian")
        self.assertEqual([], self.errors(lintian, "--allow-root", "--tag-display-limit", "0", *self.made("DEB")))

    def test_rpmlint_finds_no_error(self):
        rpmlint = harness.needs("rpmlint")
        filters = harness.ROOT / "packaging" / "rpm" / "rpmlint.toml"
        self.assertEqual([], self.errors(rpmlint, "--config", filters, *self.made("RPM")))

    def test_a_deb_is_the_same_whenever_it_is_made(self):
        digests = [[hashlib.sha256(one.read_bytes()).hexdigest() for one in self.made("DEB", SOURCE_DATE_EPOCH="1795824000")] for _ in range(2)]
        self.assertEqual(digests[0], digests[1])


if __name__ == "__main__":
    unittest.main()
