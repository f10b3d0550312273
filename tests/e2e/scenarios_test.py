"""What luatrail finds in each recorded scenario, beside what was expected of it by thought (fixtures/README.md, "The expectation")."""
import json
import unittest

import harness
from harness import SEVERITIES, scenarios


def meets(finding, wanted):
    """Whether one finding is the one that an entry of `expect` asks for."""
    kinds = [entry["kind"] for entry in finding["chain"]]
    return (
        finding["severity"] == wanted["severity"]
        and wanted.get("origin", finding["code"]["origin"]) == finding["code"]["origin"]
        and ("chain" not in wanted or (set(wanted["chain"]) <= set(kinds) if wanted["chain"] else not kinds))
        and ("how" not in wanted or wanted["how"] in [entry["how"] for entry in finding["chain"] if "how" in entry])
        and (finding["follows"] is not None) == wanted.get("follows", False)
    )


def assign(findings, expect):
    """Whether each entry of `expect` has a finding of its own: entries may be met by several findings, so all choices are tried."""
    if not expect:
        return True
    wanted, *others = expect
    return any(
        meets(finding, wanted) and assign(findings[:at] + findings[at + 1 :], others) for at, finding in enumerate(findings)
    )


def summary(findings):
    return [
        (f["severity"], f["code"]["origin"], [(e["kind"], e.get("how")) for e in f["chain"]], "follows" if f["follows"] else "")
        for f in findings
    ]


def highest(facts):
    """The severity that no finding of the scenario may exceed."""
    if facts["kind"] == "benign" or not facts["expect"]:
        return "info"
    return max((wanted["severity"] for wanted in facts["expect"]), key=SEVERITIES.index)


def expectation_holds(scenario, findings):
    facts = scenario.facts
    return assign(findings, facts["expect"]) and facts.get("findings", len(findings)) == len(findings)


class Scenarios(harness.TestCase):
    def test_every_scenario_has_a_recording(self):
        for scenario in scenarios():
            with self.subTest(scenario.name):
                self.assertIn(scenario.facts["kind"], ("attack", "benign"))
                self.assertTrue(scenario.log.stat().st_size)

    def test_the_expected_is_found_and_nothing_worse(self):
        for scenario in scenarios():
            with self.subTest(scenario.name):
                result = scenario.replayed
                found = result.findings()
                if "says" in scenario.facts:
                    self.assertIn(scenario.facts["says"], result.err)
                else:
                    self.assertEqual(result.err, "")
                self.assertEqual(result.status, 1 if found else 0)
                limit = SEVERITIES.index(highest(scenario.facts))
                worse = [f for f in found if SEVERITIES.index(f["severity"]) > limit]
                self.assertEqual(summary(worse), [], "worse than anything expected")
                if "gap" in scenario.facts:
                    self.assertFalse(
                        expectation_holds(scenario, found),
                        f"the expectation holds although scenario.toml says gap = {scenario.facts['gap']!r}: remove that key",
                    )
                else:
                    self.assertTrue(expectation_holds(scenario, found), f"found {summary(found)}, expected {scenario.facts}")

    def test_what_follows_a_finding_names_one_that_stands_before_it(self):
        for scenario in scenarios():
            before = set()
            for finding in scenario.replayed.findings():
                with self.subTest(scenario.name, id=finding["id"]):
                    self.assertNotIn(finding["id"], before)
                    if finding["follows"] is not None:
                        self.assertIn(finding["follows"], before)
                before.add(finding["id"])

    def test_events_of_a_finding_are_in_the_log(self):
        for scenario in scenarios():
            stamps = {b"%d.%03d:%d" % (ms // 1000, ms % 1000, serial) for ms, serial in map(harness.event_id, scenario.lines())}
            for finding in scenario.replayed.findings():
                with self.subTest(scenario.name, id=finding["id"]):
                    named = finding["events"] + [entry["event"] for entry in finding["chain"]]
                    self.assertTrue(finding["events"])
                    self.assertLessEqual({event.encode() for event in named}, stamps)

    def test_minimum_severity_selects_and_decides_the_exit_status(self):
        for name in ("old-script", "child-shell", "shm-luajit-relative", "failed-exec"):
            scenario = harness.scenario(name)
            lines = scenario.replayed.out.splitlines(keepends=True)
            for level in SEVERITIES:
                with self.subTest(name, level=level):
                    kept = [l for l in lines if SEVERITIES.index(json.loads(l)["severity"]) >= SEVERITIES.index(level)]
                    result = scenario.replay("--min-severity", level)
                    self.assertEqual((result.out, result.status, result.err), (b"".join(kept), 1 if kept else 0, ""))


if __name__ == "__main__":
    unittest.main()
