"""`luatrail baseline`: what it proposes, checks and explains; and verdicts with a baseline that it proposed."""
import shutil
import unittest

import harness
from harness import scenario

HOST = harness.ROOT / "fixtures" / "hosts" / "debian-merged" / "root"
DROPPED = scenario("drop-other-user")
OLD = scenario("old-script")


class BaselineCase(harness.TestCase):
    def setUp(self):
        self.dir = self.directory()

    def baseline(self, *arguments, status=0):
        result = harness.run("baseline", *arguments)
        self.assertEqual(status, result.status, result.err + result.out.decode())
        return result

    def write(self, text, name="baseline.toml"):
        path = self.dir / name
        path.write_text(text)
        return path


class BuildTest(BaselineCase):
    def test_each_packaged_way_of_running_lua_is_proposed_with_its_reason(self):
        text = self.baseline("build", "--root", HOST).out.decode()
        ids = [line.split('"')[1] for line in text.splitlines() if line.startswith("id ")]
        self.assertEqual(
            ["cron-prosody", "cron-prosody-2", "diverter-tool", "own.service", "prosody-prosody", "prosody-prosodyctl", "prosody.service"], ids
        )
        self.assertIn("# package prosody 0.12.3-1, which needs lua-expat, lua5.4\n", text)
        self.assertIn(
            "# /usr/lib/systemd/system/prosody.service runs: /usr/bin/prosody -F\n"
            "# package prosody 0.12.3-1, which needs lua-expat, lua5.4\n"
            "[[expect]]\n"
            'id             = "prosody.service"\n'
            'executable     = "/usr/bin/lua5.4"\n'
            'user           = "prosody"\n'
            'script         = "/usr/bin/prosody"\n'
            'unit           = "prosody.service"\n'
            'because        = "unit prosody.service of package prosody"\n',
            text,
        )
        self.assertIn("# NO USER IS NAMED, because nothing says who runs it: anybody may.", text)
        self.assertEqual(1, text.count("NO USER IS NAMED"))
        self.assertIn("1 of them name no user, because nothing says who runs it, and expect it of anybody: diverter-tool;", self.baseline("build", "--root", HOST).err)
        self.assertIn("made on this host: see whether it is meant to be there", text)
        path = self.write(text)
        self.assertEqual(f"{len(ids)} expectations, 0 of them doubtful\n", self.baseline("check", path).out.decode())
        self.assertEqual(text, self.baseline("build", "--root", HOST).out.decode())

    def test_from_a_file_to_a_file(self):
        inventory = self.dir / "inventory"
        harness.run("inventory", "build", "--root", HOST, "-o", inventory)
        self.baseline("build", "--inventory", inventory, "-o", self.dir / "made.toml")
        self.assertEqual(self.baseline("build", "--root", HOST).out, (self.dir / "made.toml").read_bytes())
        self.assertIn("make it with `luatrail inventory build", self.baseline("build", "--inventory", "/nonexistent", status=2).err)


class LearnTest(BaselineCase):
    def test_what_ran_is_proposed_and_then_expected(self):
        result = self.baseline("learn", OLD.log)
        text = result.out.decode()
        self.assertIn("[[expect]]", text)
        self.assertIn("seen 1 time on 1 day", text)
        path = self.write(text)
        before = OLD.replay().findings()
        self.assertTrue(before)
        after = OLD.replay("--baseline", path)
        self.assertEqual((0, b""), (after.status, after.out), after.err)
        self.assertEqual(result.out, self.baseline("learn", OLD.log).out)
        self.assertEqual(0, harness.run("baseline", "check", path, "--log", OLD.log).status)

    def test_a_run_that_was_chained_is_never_proposed(self):
        result = self.baseline("learn", DROPPED.log)
        self.assertNotIn("[[expect]]", result.out.decode())
        self.assertIn("script-drop chained with it", result.err)
        for one in harness.some_scenarios(4):
            if one.facts["kind"] != "attack":
                continue
            with self.subTest(one.name):
                path = self.write(harness.run("baseline", "learn", one.log).out.decode())
                chained = [
                    finding for finding in harness.run("replay", "--format", "json", one.log).findings()
                    if {entry["kind"] for entry in finding["chain"]} - {"child-shell", "network", "self-delete"}
                ]  # fmt: skip
                still = {finding["id"] for finding in harness.run("replay", "--format", "json", "--baseline", path, one.log).findings()}
                self.assertEqual([], [finding["title"] for finding in chained if finding["id"] not in still])

    def test_a_log_that_cannot_be_read(self):
        self.baseline("learn", "/nonexistent", status=2)


class CheckTest(BaselineCase):
    def test_doubtful_entries_are_named_with_their_places(self):
        path = self.write(
            'schema = 1\n[[expect]]\nid = "any"\nexecutable = "/usr/bin/lua*"\n'
            '[[expect]]\nid = "tmp"\nexecutable = "/usr/bin/lua5.4"\nuser = "me"\nscript = "/tmp/*"\n'
            '[[expect]]\nid = "old"\nexecutable = "/usr/bin/lua5.4"\nscript = "/srv/x.lua"\nexpires = 2020-01-01\n'
            '[[expect]]\nid = "user"\nuser = "me"\n'
            '[[expect]]\nid = "good"\nexecutable = "/usr/bin/lua5.4"\nscript = "/srv/y.lua"\n'
        )
        text = self.baseline("check", path, status=1).out.decode()
        self.assertEqual(
            f"{path}:2:1: any: it names neither a user nor a script: any script that this program runs is expected\n"
            f"{path}:5:1: tmp: script /tmp/* covers files where anybody may write\n"
            f"{path}:10:1: old: it has expired\n"
            f"{path}:15:1: user: it names no script: any that me runs is expected\n"
            "5 expectations, 4 of them doubtful\n",
            text,
        )

    def test_entries_that_match_nothing_in_a_log_are_named(self):
        path = self.write('schema = 1\n[[expect]]\nid = "good"\nexecutable = "/usr/bin/lua5.4"\nscript = "/srv/y.lua"\n')
        self.assertIn("good: no run of these logs matches it\n", self.baseline("check", path, "--log", OLD.log, status=1).out.decode())

    def test_errors_have_their_place_and_the_nearest_key(self):
        path = self.write('schema = 1\n[[expect]]\nid = "x"\nexecutible = "/usr/bin/lua"\n')
        self.assertIn("4:1: expect.executible: unknown key; did you mean `executable`?", self.baseline("check", path, status=2).err)
        path = self.write('schema = 1\n[[expect]]\nid = "x"\n')
        self.assertIn("would match every run", self.baseline("check", path, status=2).err)
        self.baseline("check", "/nonexistent", status=2)


class ExplainTest(BaselineCase):
    def test_for_each_expectation_the_key_that_differs(self):
        finding = OLD.replay().findings()[0]
        run = finding["events"][0]
        exe, path = finding["interpreter"]["exe"], finding["code"]["path"]
        baseline = self.write(
            f'schema = 1\n[[expect]]\nid = "other"\nexecutable = "{exe}"\nscript = "/srv/other.lua"\n'
            f'[[expect]]\nid = "fits"\nexecutable = "{exe}"\nscript = "{path}"\n'
            '[[expect]]\nid = "package"\nscript_package = "prosody"\n'
        )
        for ident in (finding["id"], run):
            text = self.baseline("explain", ident, OLD.log, "--baseline", baseline).out.decode()
            self.assertIn(f"other names script /srv/other.lua, and the run has {path}\n", text)
            self.assertIn("fits every key matches\n", text)
            self.assertIn("package names script_package prosody, but no inventory says which package owns", text)
        other = self.write('schema = 1\n[[expect]]\nid = "o"\nuser = "4711"\n', "other.toml")
        self.baseline("explain", run, OLD.log, "--baseline", other, status=1)
        self.assertIn("no run with this", self.baseline("explain", "1.000:1", OLD.log, "--baseline", other, status=2).err)


    def test_a_run_that_only_its_path_makes_expected_is_counted(self):
        finding = OLD.replay().findings()[0]
        exe, path = finding["interpreter"]["exe"], finding["code"]["path"]
        baseline = self.write(f'schema = 1\n[[expect]]\nid = "p"\nexecutable = "{exe}"\nscript = "{path}"\nscript_package = "job"\n')
        done = OLD.replay("--baseline", baseline)
        self.assertEqual([], done.findings())
        self.assertIn("expected runs are so by the script's path alone", done.err)
        text = self.baseline("explain", finding["id"], OLD.log, "--baseline", baseline).out.decode()
        self.assertIn("p every key matches, but script_package job: no inventory was given to ask\n", text)

    def test_an_altered_interpreter_is_told_where_every_key_matches(self):
        root = self.dir / "root"
        shutil.copytree(HOST, root, symlinks=True)
        finding = OLD.replay("--root", root).findings()[0]
        exe = finding["interpreter"]["exe"]
        self.assertEqual("lua5.4", finding["interpreter"]["package"])
        baseline = self.write(f'schema = 1\n[[expect]]\nid = "fits"\nexecutable = "{exe}"\n')
        self.baseline("explain", finding["id"], OLD.log, "--baseline", baseline, "--root", root)
        with open(root / exe.lstrip("/"), "ab") as program:
            program.write(b"altered")
        text = self.baseline("explain", finding["id"], OLD.log, "--baseline", baseline, "--root", root, status=1).out.decode()
        self.assertIn(f"expectation fits matches, but {exe} is not as package lua5.4 brought it\n", text)


class ReplayWithInventoryTest(BaselineCase):
    def test_the_inventory_names_packages_in_findings(self):
        finding = OLD.replay("--root", HOST).findings()[0]
        self.assertIn(finding["interpreter"]["package"], ("lua5.4", "luajit", None))
        inventory = self.dir / "inventory"
        harness.run("inventory", "build", "--root", HOST, "-o", inventory)
        self.assertEqual(finding, OLD.replay("--inventory", inventory).findings()[0])
        both = harness.run("replay", "--root", HOST, "--inventory", inventory, OLD.log)
        self.assertEqual(2, both.status)
        inventory.chmod(0o666)
        self.assertIn("everybody may write it", harness.run("replay", "--inventory", inventory, OLD.log).err)


if __name__ == "__main__":
    unittest.main()
