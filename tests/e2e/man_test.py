"""The manual pages: well written, and complete beside what the program says of itself."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import harness

PAGES = harness.ROOT / "man"


def shown(page):
    """The page's text as a terminal of great width would have it, without overstrikes."""
    done = subprocess.run(
        ["mandoc", "-Tutf8", "-Owidth=200", PAGES / page], capture_output=True, check=True, timeout=harness.TIMEOUT
    )
    return re.sub(".\b", "", done.stdout.decode("utf-8"))


def warnings(*command):
    """All that a formatter says of a page, on either stream."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=harness.TIMEOUT)
    return done.stdout


def options(*command):
    return set(re.findall(r"--[a-z][a-z-]+", harness.run(*command, "--help").out.decode())) - {"--"}


class ManTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.needs("mandoc")
        harness.needs("groff")

    def test_each_page_is_without_a_warning(self):
        pages = sorted(PAGES.iterdir())
        self.assertGreaterEqual(len(pages), 7)
        for page in pages:
            with self.subTest(page=page.name):
                lint = warnings("mandoc", "-Tlint", "-Wstyle", page)
                # Whether other pages are installed is the machine's matter; those of luatrail are looked for below.
                told = [line for line in lint.splitlines() if "referenced manual not found" not in line and "mandoc.db" not in line]
                self.assertEqual([], told)
                for width in ("80n", "100n"):
                    self.assertEqual("", warnings("groff", "-mandoc", "-Tutf8", "-ww", "-z", f"-rLL={width}", page))

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

    def test_each_key_of_a_baseline_is_in_the_manual_and_no_other(self):
        """What an unknown key makes the reader list are all that it knows."""
        with tempfile.TemporaryDirectory() as directory:
            wrong = pathlib.Path(directory, "b.toml")
            wrong.write_text("schema = 1\n[[expect]]\nzzzzzzzzzzzz = 1\n", encoding="utf-8")
            error = harness.run("baseline", "check", wrong).err
        known = re.search(r"zzzzzzzzzzzz: unknown key; known here: (.*)", error)
        self.assertTrue(known, error)
        page = (PAGES / "luatrail.baseline.5").read_text(encoding="utf-8")
        self.assertEqual(sorted(known[1].split(", ")), sorted(re.findall(r"^\.It Va (\w+)$", page, re.MULTILINE)))

    def test_pages_refer_to_pages_that_exist_and_back(self):
        named = {path.name: set() for path in PAGES.iterdir()}
        for page, others in named.items():
            text = (PAGES / page).read_text(encoding="utf-8")
            references = {f"{name}.{section}" for name, section in re.findall(r"^\.Xr (\S+) (\d)", text, re.MULTILINE)}
            others |= {name for name in references if name.startswith("luatrail")}
            self.assertEqual(set(), others - named.keys(), page)
            listed = re.findall(r"^\.Xr (\S+) (\d)", text.partition(".Sh SEE ALSO\n")[2].partition("\n.Sh ")[0], re.MULTILINE)
            see_also = [f"{name}.{section}" for name, section in listed]
            self.assertEqual(references, set(see_also), f"{page}: SEE ALSO has what the page names")
            self.assertEqual(sorted(see_also, key=lambda name: (name[-1], name)), see_also, f"{page}: by section, then name")
        for page, others in named.items():
            for other in others:
                self.assertIn(page, named[other], f"{other} does not lead back to {page}")
        self.assertEqual(named.keys() - {"luatrail.8"}, named["luatrail.8"])


if __name__ == "__main__":
    unittest.main()
