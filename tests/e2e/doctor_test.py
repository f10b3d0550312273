"""`luatrail rules` and `luatrail doctor`, on this host and, where it can be had, with this machine's kernel."""
import json
import re

import harness
import kernel

BLINDING = """\
-D
-a never,exit -F dir=/dev/shm
-a always,exit -F arch=b64 -S execve,execveat -F auid>=1000 -F auid!=unset -k exec
-a always,exclude -F msgtype=EXECVE
-b 320
"""

LEAN_BLIND = {"child-shell", "lineage/exit", "lineage/fork", "run-anywhere", "run-memfd"}


def rules(*arguments):
    result = harness.run("rules", *arguments)
    assert (result.status, result.err) == (0, ""), result
    return result.out.decode()


def doctor(*arguments):
    result = harness.run("doctor", "--format", "json", *arguments)
    told = json.loads(result.out) if result.out else None
    return result, told


def states(told):
    return {row["id"]: row["state"] for row in told["coverage"]}


class RulesFileTest(harness.TestCase):
    def file(self, text, name="some.rules"):
        path = self.directory() / name
        path.write_text(text)
        return path

    def test_what_rules_prints_shows_all_that_its_profile_can(self):
        for profile in ("full", "lean"):
            result, told = doctor("--rules", self.file(rules("--profile", profile)), "--profile", profile)
            self.assertEqual((0, ""), (result.status, result.err))
            self.assertEqual("luatrail/doctor/1", told["schema"])
            blind = {row["id"] for row in told["coverage"] if row["wanted"] != "seen"}
            self.assertLessEqual(blind, {"drop/io_uring"} | (LEAN_BLIND if profile == "lean" else set())) # an older auditctl knows no io_uring
            self.assertLessEqual(LEAN_BLIND if profile == "lean" else set(), blind)
            self.assertTrue(all(row["state"] == row["wanted"] for row in told["coverage"]))

    def test_lean_rules_are_blind_for_who_asked_for_full_ones(self):
        result, told = doctor("--rules", self.file(rules("--profile", "lean")))
        self.assertEqual(1, result.status)
        self.assertEqual("blind", states(told)["child-shell"])
        self.assertEqual("seen", states(told)["drop/rename"])

    def test_the_configuration_says_what_is_asked_for(self):
        config = self.file('[doctor]\nprofile = "lean"\n', "luatrail.toml")
        self.assertEqual(0, doctor("--rules", self.file(rules("--profile", "lean")), "--config", config)[0].status)

    def test_blinding_rules_are_named_with_their_line_and_a_remedy(self):
        path = self.file(BLINDING)
        result, told = doctor("--rules", path)
        self.assertEqual((1, ""), (result.status, result.err))
        by_id = {row["id"]: row for row in told["coverage"]}
        self.assertEqual("partly", by_id["run"]["state"])
        self.assertEqual(["not of root's services and cron, services", "not of 32-bit programs"], by_id["run"]["why"])
        self.assertIn(f"hidden by {path}:2: -a never,exit -F dir=/dev/shm", by_id["drop/write"]["why"])
        self.assertIn(f"{path}:4", by_id["record/EXECVE"]["why"][0])
        self.assertTrue(all(row["remedy"] for row in told["coverage"] if row["state"] != "seen"))
        self.assertEqual(["kernel/backlog-limit"], [check["id"] for check in told["checks"]])
        text = harness.run("doctor", "--rules", path)
        self.assertEqual(1, text.status)
        self.assertIn("partly  an installed interpreter is run\n          not of root's services and cron, services\n", text.out.decode())
        self.assertTrue(all(len(line) <= 80 for line in text.out.decode().splitlines()[1:]), text.out.decode())

    def test_programs_that_can_run_lua_are_listed_with_what_shows_it(self):
        printed = rules()
        path = self.file(printed)
        programs = doctor("--rules", path)[1]["programs"]
        self.assertEqual(sorted(program["path"] for program in programs), [program["path"] for program in programs])
        known = {"command-line", "child", "opens", "library"}
        for program in programs:
            self.assertLessEqual(set(program["shows"]), known, program)
            self.assertIn("opens", program["shows"], program)
            self.assertEqual("library" in program["shows"], bool(program["libraries"]), program)
            self.assertIn(f"-F exe={program['path']} ", printed)
        text = harness.run("doctor", "--rules", path).out.decode()
        self.assertIn("Programs of this host that can run Lua", text)

    def test_a_directory_is_read_in_the_order_of_augenrules(self):
        directory = self.directory()
        (directory / "10-late.rules").write_text(rules())
        (directory / "9-early.rules").write_text("-a never,exit -F dir=/dev/shm\n")
        (directory / "5-other.txt").write_text("no rules\n")
        self.assertEqual("partly", states(doctor("--rules", directory)[1])["drop/write"])
        (directory / "9-early.rules").rename(directory / "11-last.rules")
        self.assertEqual("seen", states(doctor("--rules", directory)[1])["drop/write"])

    def test_errors_of_a_rules_file_are_told_and_the_rest_counts(self):
        path = self.file("-a always,exit -S nosuch\nfoo\n" + rules())
        result, told = doctor("--rules", path)
        self.assertEqual(2, result.status)
        self.assertEqual(
            [f"luatrail: {path}:1: -S nosuch: no such system call on", f"luatrail: {path}:2: foo: not an option"],
            [re.sub(r"( on) .*|(an option) .*", r"\1\2", line) for line in result.err.splitlines()],
        )
        self.assertEqual("seen", states(told)["run"])

    def test_an_empty_file_shows_nothing(self):
        result, told = doctor("--rules", self.file(""))
        self.assertEqual((1, ""), (result.status, result.err))
        self.assertEqual("blind", states(told)["run"])

    def test_files_that_cannot_be_read_are_told(self):
        for path in ("/no/such/file", self.directory()):
            result = harness.run("doctor", "--rules", path)
            self.assertEqual((2, b""), (result.status, result.out))
            self.assertRegex(result.err, rf"^luatrail: {path}.*: .*; .*\n$")

    def test_a_user_who_may_not_ask_the_kernel_is_told(self):
        result = harness.run("doctor", program=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", harness.LUATRAIL])
        self.assertEqual((2, b""), (result.status, result.out))
        self.assertIn("needs root", result.err)


class KernelTest(harness.TestCase):
    def test_the_kernel_takes_the_rules_and_the_doctor_reads_the_same_back(self):
        with kernel.KernelAudit() as audit:
            for profile in ("full", "lean"):
                text = rules("--profile", profile)
                audit.load(text, self.directory())
                listed = kernel.auditctl("-l").splitlines()
                wanted = [line for line in text.splitlines() if line.startswith("-a")]
                self.assertEqual(len(wanted), len(listed))
                _, told = doctor("--profile", profile)
                self.assertEqual(f"the {len(wanted)} that the kernel has loaded", told["rules"])
                self.assertTrue(all(row["state"] == row["wanted"] for row in told["coverage"]), told)

    def test_what_the_kernel_has_loaded_is_judged_like_its_file(self):
        path = self.directory() / "blinding.rules"
        path.write_text(BLINDING)
        with kernel.KernelAudit() as audit:
            audit.load(BLINDING + rules(), self.directory())
            loaded = doctor()[1]
            (path.parent / "both.rules").write_text(BLINDING + rules())
            written = doctor("--rules", path.parent / "both.rules")[1]
            self.assertEqual(states(written), states(loaded))
            self.assertEqual("partly", states(loaded)["drop/write"])
            hidden = {why for row in loaded["coverage"] for why in row["why"] if why.startswith("hidden")}
            self.assertEqual({"hidden by loaded rule 1: -a never,exit -F dir=/dev/shm"}, hidden)

            kernel.auditctl("-A", "never,task")
            result, told = doctor()
            self.assertEqual(1, result.status)
            self.assertEqual("blind", states(told)["run"])

    def test_the_kernels_and_auditds_state_is_told(self):
        directory = self.directory()
        with kernel.KernelAudit() as audit:
            audit.load(rules(), directory)
            kernel.auditctl("-e", "0")
            kernel.auditctl("-b", "64")
            checks = {check["id"]: check["state"] for check in doctor("--auditd", directory)[1]["checks"]}
            self.assertEqual(
                {"kernel/enabled": "fault", "kernel/auditd": "fault", "kernel/backlog-limit": "warning", "auditd/configuration": "fault"},
                {key: state for key, state in checks.items() if state != "good" and key != "kernel/lost"},  # that is this machine's past
            )
            plugin = f"active = yes\ndirection = out\npath = {harness.LUATRAIL}\ntype = always\nargs = plugin\nformat = string\n"
            audit.start_auditd(directory, {}, name_format="HOSTNAME")
            (directory / "etc" / "plugins.d" / "luatrail.conf").write_text(plugin)
            result, told = doctor("--auditd", directory / "etc")
            bad = [check for check in told["checks"] if check["state"] != "good" and check["id"] != "kernel/lost"]
            self.assertEqual([], [check for check in bad if check["id"] != "plugin/path"], told)  # a clone may be anybody's
            self.assertEqual(1 if bad else 0, result.status, result)


if __name__ == "__main__":
    import unittest

    unittest.main()
