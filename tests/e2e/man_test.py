"""The manual pages: well written, and complete beside what the program says of itself."""
import re
import subprocess
import tomllib
import unittest

import harness

PAGES = harness.ROOT / "man"


def shown(page):
    """The page's text as a terminal of great width would have it, without overstrikes."""
    done = subprocess.run(
        ["mandoc", "-Tutf8", "-Owidth=200", PAGES / page], capture_output=True, check=True, timeout=harness.TIMEOUT
    )
    return re.sub(".\b", "", done.stdout.decode("utf-8"))


def options(*command):
    return set(re.findall(r"--[a-z][a-z-]+", harness.run(*command, "--help").out.decode())) - {"--"}


class ManTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.needs("mandoc")

    def test_each_page_is_without_a_warning(self):
        pages = sorted(path for path in PAGES.iterdir())
        self.assertGreaterEqual(len(pages), 3)
        for page in pages:
            with self.subTest(page=page.name):
                done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True, check=False)
                self.assertEqual((0, ""), (done.returncode, done.stdout))

    def test_each_option_is_in_the_manual_and_nothing_else(self):
        replay = shown("luatrail-replay.1")
        self.assertEqual(options("replay") | options("events"), set(re.findall(r"--[a-z][a-z-]+", replay)))
        whole = shown("luatrail.8")
        inventory = set(re.findall(r"--[a-z][a-z-]+", shown("luatrail-inventory.1")))
        self.assertEqual(set().union(*(options("inventory", one) for one in ("build", "show", "owner"))), inventory)
        baseline = set(re.findall(r"--[a-z][a-z-]+", shown("luatrail-baseline.1")))
        self.assertEqual(set().union(*(options("baseline", one) for one in ("build", "learn", "check", "explain"))), baseline)
        for command in (("plugin",), ("rules",), ("doctor",), ("status",), ("config", "check"), ()):
            for option in options(*command):
                self.assertIn(option, whole, command)

    def test_each_command_is_in_the_manual(self):
        listed = re.findall(r"^  (\w+) {2,}", harness.run("--help").out.decode().partition("Subcommands:")[2], re.MULTILINE)
        self.assertIn("replay", listed)
        text = shown("luatrail.8")
        for command in listed:
            self.assertRegex(text, rf"luatrail {command}\b")

    def test_each_key_is_in_the_manual_with_its_default(self):
        text = shown("luatrail.toml.5")
        defaults = tomllib.loads((harness.ROOT / "config" / "luatrail.toml").read_text(encoding="utf-8"))
        for table, keys in defaults.items():
            section = text.partition(f"[{table}]")[2]
            self.assertTrue(section, table)
            for key, value in keys.items():
                written = f'"{value}"' if isinstance(value, str) else str(value).lower()
                if isinstance(value, list):
                    written = "[" + ", ".join(f'"{one}"' for one in value) + "]"
                entry = re.search(rf"^ +{key}\b(.*?)(?=^ +\w+\n|^   \[|^[A-Z]|\Z)", section, re.MULTILINE | re.DOTALL)
                self.assertTrue(entry, key)
                self.assertIn(f"Default: {written}", re.sub(r"[‘’“”]", "", re.sub(r"\s+", " ", entry[0])), key)


if __name__ == "__main__":
    unittest.main()
