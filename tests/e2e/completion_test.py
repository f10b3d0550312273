"""Completion in bash, zsh and fish, held against what the program says of itself."""
import re
import subprocess
import tempfile
import unittest

import harness

def script(shell):
    result = harness.run("completion", shell)
    assert (result.status, result.err) == (0, ""), result.err
    return result.out.decode()


def completed(*words):
    """What bash would offer for the last word; "<files>" where it is told to offer files."""
    with tempfile.NamedTemporaryFile("w", suffix=".bash") as file:
        file.write(script("bash"))
        file.flush()
        return completed_by(file.name, *words)


def completed_by(script, *words):
    done = subprocess.run(
        [
            "bash",
            "-c",
            'source "$1"; shift; compopt() { echo "<files>"; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _luatrail; '
            'printf "%s\\n" "${COMPREPLY[@]}"',
            "bash",
            script,
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


# Its own functions are replaced by ones that print.
IN_ZSH = """compdef() {}
compset() { words[CURRENT]=${words[CURRENT]#*=}; }
_files() { print "<files>"; }
compadd() { shift; print -l -- "$@"; }
_describe() { [[ $1 != -o ]] || shift; print -l -- "${(@P)2}"; }
source "$1"; shift; words=("$@"); CURRENT=$#; _luatrail
"""
COMMANDS = (("replay",), ("events",), ("plugin",), ("rules",), ("doctor",), ("status",), ("inventory", "build"), ("inventory", "show"), ("inventory", "owner"), ("baseline", "build"), ("baseline", "learn"), ("baseline", "check"), ("baseline", "explain"), ("config", "check"), ("completion",))


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
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assertEqual(options(*command), completed(*command, "--"))
                self.assertEqual(options(*command), completed(*command, "--version", "--"))
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
        self.assertEqual({"bash", "zsh", "fish"}, {one for one in completed("completion", "") if one[0] != "-"})

    def test_bash_takes_the_script_without_a_complaint(self):
        shellcheck = harness.needs("shellcheck")
        done = subprocess.run([shellcheck, "-"], input=script("bash"), capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stdout))

    def in_zsh(self, *words):
        """Names that zsh would offer."""
        zsh = harness.needs("zsh")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(script("zsh"))
            file.flush()
            done = subprocess.run(
                [zsh, "-f", "-c", IN_ZSH, "zsh", file.name, "luatrail", *words],
                capture_output=True, text=True, check=True, timeout=harness.TIMEOUT,
            )  # fmt: skip
        self.assertEqual("", done.stderr)
        return {line.partition(":")[0] for line in done.stdout.splitlines() if line}

    def test_zsh_offers_the_same(self):
        self.assertEqual(completed("") - {"--help", "--version"}, self.in_zsh(""))
        self.assertEqual({"build", "show", "owner"}, self.in_zsh("inventory", ""))
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assertEqual(options(*command), {one for one in self.in_zsh(*command, "--") if one.startswith("--")})
        self.assertEqual({"text", "json", "prometheus"}, self.in_zsh("status", "--format", ""))
        self.assertEqual({"text", "json"}, self.in_zsh("replay", "--format=t"))
        self.assertEqual({"<files>"}, self.in_zsh("replay", "/var"))
        self.assertEqual({"<files>"}, self.in_zsh("plugin", "--config", ""))
        self.assertEqual(set(), self.in_zsh("plugin", ""))

    def in_fish(self, line):
        fish = harness.needs("fish")
        with tempfile.NamedTemporaryFile("w", suffix=".fish") as file:
            file.write(script("fish"))
            file.flush()
            done = subprocess.run(
                [fish, "--no-config", "-c", f"source {file.name}; complete -C '{line}'"],
                capture_output=True, text=True, check=True, timeout=harness.TIMEOUT, env=harness.environment(),
            )  # fmt: skip
        self.assertEqual("", done.stderr)
        return {one.partition("\t")[0] for one in done.stdout.splitlines() if one}

    def test_fish_offers_the_same(self):
        self.assertEqual(completed("") - {"--help", "--version"}, self.in_fish("luatrail "))
        self.assertEqual({"build", "show", "owner"}, self.in_fish("luatrail inventory "))
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assertEqual(options(*command), self.in_fish(f"luatrail {' '.join(command)} --"))
        self.assertEqual({"text", "json", "prometheus"}, self.in_fish("luatrail status --format "))
        self.assertEqual({"high"}, self.in_fish("luatrail replay --min-severity hi"))


if __name__ == "__main__":
    unittest.main()
