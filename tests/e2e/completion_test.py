"""bash completion, held against what the program says of itself."""
import re
import subprocess
import unittest

import harness

SCRIPT = harness.ROOT / "completions" / "luatrail.bash"


def completed(*words):
    """What bash would offer for the last word; "<files>" where it is told to offer files."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            'source "$1"; shift; compopt() { echo "<files>"; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _luatrail; '
            'printf "%s\\n" "${COMPREPLY[@]}"',
            "bash",
            SCRIPT,
            "luatrail",
            *words,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=harness.TIMEOUT,
    )
    assert done.stderr == "", done.stderr
    return {line for line in done.stdout.splitlines() if line}


def options(*command):
    return set(re.findall(r"--[a-z][a-z-]+", harness.run(*command, "--help").out.decode().partition("Options:")[2]))


class CompletionTest(unittest.TestCase):
    def test_each_command_is_offered(self):
        listed = set(re.findall(r"^  (\w+) {2,}", harness.run("--help").out.decode().partition("Subcommands:")[2], re.MULTILINE))
        self.assertEqual(listed | {"--help", "--version"}, completed(""))
        self.assertEqual({"replay", "rules"}, completed("r"))
        self.assertEqual({"check", "--help", "--version"}, completed("config", ""))
        self.assertEqual({"build", "show", "owner", "--help", "--version"}, completed("inventory", ""))
        self.assertEqual({"build", "learn", "check", "explain", "--help", "--version"}, completed("baseline", ""))

    def test_each_option_is_offered(self):
        for command in (("replay",), ("events",), ("plugin",), ("rules",), ("doctor",), ("status",), ("inventory", "build"), ("inventory", "show"), ("inventory", "owner"), ("baseline", "build"), ("baseline", "learn"), ("baseline", "check"), ("baseline", "explain"), ("config", "check")):
            with self.subTest(command=command):
                self.assertEqual(options(*command), completed(*command, "--"))
                self.assertEqual(options(*command), completed(*command, "--stats", "--"))
        self.assertEqual({"--baseline", "--bad-lines"}, completed("replay", "--ba"))

    def test_values_are_offered(self):
        text = harness.run("replay", "--help").out.decode()
        for option in ("--format", "--parser", "--min-severity"):
            values = set(re.search(rf"{option} \w+:{{([\w,]+)}}", text)[1].split(","))
            self.assertEqual(values, completed("replay", option, ""))
            self.assertEqual(values, completed("replay", option, "="))
            first = sorted(values)[0]
            self.assertEqual({first}, completed("replay", option, "=", first[:-1]))

    def test_paths_are_offered(self):
        self.assertEqual({"<files>"}, completed("replay", "/var"))
        self.assertEqual({"<files>"}, completed("replay", "--baseline", ""))
        self.assertEqual({"<files>"}, completed("plugin", "--config", "=", "/etc"))
        self.assertEqual({"<files>"}, completed("config", "check", "/etc"))
        self.assertEqual(set(), completed("plugin", ""))
        self.assertEqual(set(), completed("replay", "--since", ""))


if __name__ == "__main__":
    unittest.main()
