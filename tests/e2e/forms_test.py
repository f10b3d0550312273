"""One log in every form in which logs are kept or come: the findings are the same."""
import bz2
import gzip
import lzma
import os
import random
import subprocess
import tarfile
import threading
import unittest

import harness
from harness import some_scenarios


def dribble(descriptor, data, seed):
    """Writes `data` in pieces of odd sizes, mostly small."""
    sizes = random.Random(seed)
    with os.fdopen(descriptor, "wb", buffering=0) as pipe:
        while data:
            size = sizes.choice((1, 7, 100, 4096, 9999, 70000))
            pipe.write(data[:size])
            data = data[size:]


def without(findings, *keys):
    return [{key: value for key, value in finding.items() if key not in keys} for finding in findings]


class Forms(harness.TestCase):
    def same(self, scenario, result, form):
        self.assert_same(result, scenario.replayed, f"{scenario.name}: {form}")

    def test_either_parser(self):
        for scenario in some_scenarios(6):
            self.same(scenario, scenario.replay("--parser", "auparse"), "--parser auparse")

    def test_standard_input(self):
        for scenario in some_scenarios(5):
            data = scenario.log.read_bytes()
            self.same(scenario, scenario.replay(log="-", input=data), "standard input")
            self.same(scenario, scenario.replay("--parser", "auparse", log="-", input=data), "standard input, auparse")

    def test_standard_input_in_pieces(self):
        for scenario in some_scenarios(10):
            for parser in ("native", "auparse"):
                ours, theirs = os.pipe()
                writer = threading.Thread(target=dribble, args=(theirs, scenario.log.read_bytes(), scenario.name))
                writer.start()
                result = scenario.replay("--parser", parser, log="-", stdin=ours)
                os.close(ours)
                writer.join()
                self.same(scenario, result, f"in pieces, {parser}")

    def test_compressed(self):
        directory = self.directory()
        zstd = harness.needs("zstd")
        for scenario in some_scenarios(10):
            data = scenario.log.read_bytes()
            files = {
                "audit.log.gz": gzip.compress(data),
                "audit.log.1.gz": gzip.compress(data[:1000]) + gzip.compress(data[1000:]),  # members, as pigz and cat make
                "audit.log.xz": lzma.compress(data),
                "audit.log.bz2": bz2.compress(data),
                "audit.log.zst": subprocess.run([zstd, "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout,
            }
            for name, bytes_ in files.items():
                (directory / name).write_bytes(bytes_)
                self.same(scenario, scenario.replay(log=directory / name), name)

    def test_archived(self):
        directory = self.directory()
        for scenario in some_scenarios(10):
            for name, mode in (("logs.tar", "w"), ("logs.tar.gz", "w:gz"), ("logs.tar.xz", "w:xz")):
                with tarfile.open(directory / name, mode) as archive:
                    archive.add(scenario.log, "sosreport-host/var/log/audit/audit.log")
                self.same(scenario, scenario.replay(log=directory / name), name)

    def test_rotated(self):
        """auditd counts upwards from the newest; files are cut anywhere between lines, and copying sets their times anew."""
        for scenario in some_scenarios(8):
            directory = self.directory()
            lines = scenario.lines()
            order = random.Random(scenario.name)
            parts = min(4, len(lines))
            cuts = [0, *sorted(order.sample(range(1, len(lines)), parts - 1)), len(lines)]
            for number in range(parts):
                path = directory / ("audit.log" if number == parts - 1 else f"audit.log.{parts - 1 - number}")
                path.write_bytes(b"".join(lines[cuts[number] : cuts[number + 1]]))
                os.utime(path, (order.randrange(2_000_000_000),) * 2)
            self.same(scenario, scenario.replay(log=directory), f"cut at {cuts}")

    def test_with_line_ends_of_another_system(self):
        for scenario in some_scenarios(10):
            data = scenario.log.read_bytes().replace(b"\n", b"\r\n")
            for parser in ("native", "auparse"):
                self.same(scenario, scenario.replay("--parser", parser, log="-", input=data), f"CRLF, {parser}")

    def test_without_a_last_newline(self):
        for scenario in some_scenarios(10):
            data = scenario.log.read_bytes().removesuffix(b"\n")
            for parser in ("native", "auparse"):
                self.same(scenario, scenario.replay("--parser", parser, log="-", input=data), f"no newline, {parser}")

    def test_relayed_by_syslog(self):
        for scenario in some_scenarios(10):
            data = b"".join(b"Nov 25 02:00:10 web01 audispd: " + line for line in scenario.lines())
            self.same(scenario, scenario.replay("--node-from", "none", log="-", input=data), "behind a syslog header")
            found = scenario.replay(log="-", input=data).findings()
            self.assertEqual({"web01"} if found else set(), {finding["node"] for finding in found})

    def test_each_record_twice(self):
        """journald keeps each record from the netlink socket and from the ring buffer."""
        for scenario in some_scenarios(10):
            data = b"".join(line + line for line in scenario.lines())
            self.same(scenario, scenario.replay(log="-", input=data), "each record twice")

    def test_the_same_log_twice(self):
        for scenario in some_scenarios(10):
            self.same(scenario, scenario.replay(log=["audit.log", "audit.log"]), "named twice")


class Nodes(harness.TestCase):
    def test_a_node_in_front_changes_nothing_but_the_name(self):
        for scenario in some_scenarios(6):
            data = b"".join(b"node=web01 " + line for line in scenario.lines())
            for parser in ("native", "auparse"):
                result = scenario.replay("--parser", parser, log="-", input=data)
                found = result.findings()
                self.assertEqual({finding["node"] for finding in found}, {"web01"} if found else set())
                expected = scenario.replayed.findings()
                varying = ("node", "id", "follows")
                self.assertEqual(without(found, *varying), without(expected, *varying), f"{scenario.name}, {parser}")

    def test_hosts_in_one_log_are_kept_apart(self):
        """Two hosts with the same pids, serials and inodes at the same times, line by line."""
        for scenario in some_scenarios(5):
            lines = scenario.lines()
            alone = {
                node: scenario.replay(log="-", input=b"".join(b"node=%s %s" % (node, line) for line in lines)).out.splitlines()
                for node in (b"a", b"b")
            }
            mixed = b"".join(b"node=%s %s" % (node, line) for line in lines for node in (b"a", b"b"))
            for parser in ("native", "auparse"):
                result = scenario.replay("--parser", parser, log="-", input=mixed)
                self.assertEqual(sorted(result.out.splitlines()), sorted(alone[b"a"] + alone[b"b"]), f"{scenario.name}, {parser}")
            only = scenario.replay("--node", "b", log="-", input=mixed)
            self.assertEqual(only.out.splitlines(), alone[b"b"], scenario.name)

    def test_a_drop_on_one_host_is_none_on_another(self):
        scenario = harness.scenario("drop-other-user")
        drop = harness.event_id_of(scenario.replayed.findings()[0]["chain"][0]["event"])
        lines = [
            (b"node=a " if harness.event_id(line) == drop else b"node=b ") + line for line in scenario.lines()
        ]
        result = scenario.replay(log="-", input=b"".join(lines))
        self.assertEqual([(f["node"], f["severity"], f["chain"]) for f in result.findings()], [("b", "info", [])])


if __name__ == "__main__":
    unittest.main()
