"""The inventory of a plugin that runs: taken anew when its file is replaced, kept when the new one is wrong."""
import os
import time
import unittest

import harness
from plugin_case import PluginCase, later, live

HOSTS = harness.ROOT / "fixtures" / "hosts"
OLD = harness.scenario("old-script")


class InventoryTest(PluginCase):
    def build(self, host, path):
        result = harness.run("inventory", "build", "--root", HOSTS / host / "root", "-o", path)
        self.assertEqual(0, result.status, result.err)

    def started(self):
        """A plugin with an inventory, the inventory's file, and the rsyslogd that takes its findings."""
        rsyslog = self.rsyslog()
        path = self.dir / "inventory"
        self.build("distroless", path)
        config = self.config(rsyslog / "log")
        config.write_text(config.read_text().replace("[detect]\n", f'[detect]\ninventory = "{path}"\n'))
        process = self.start(config)
        return rsyslog, path, process

    def test_a_new_file_counts_and_a_wrong_one_does_not(self):
        rsyslog, path, process = self.started()
        lines = live(OLD.lines())
        each = len(OLD.replayed.findings())

        def run(time_of):
            process.stdin.write(b"".join(later(lines, 3600 * time_of)))
            process.stdin.flush()
            findings = self.wait_for(rsyslog, each * (time_of + 1))
            return {finding["interpreter"]["package"] for finding in findings[-each:]}, {finding["process"]["user"] for finding in findings[-each:]}

        self.assertEqual(({"lua5.4"}, {"www-data"}), run(0))
        self.build("hostile", self.dir / "other")  # no interpreter in it
        os.replace(self.dir / "other", path)
        time.sleep(6)
        self.assertEqual({None}, run(1)[0])
        (self.dir / "wrong").write_text("nonsense")
        os.replace(self.dir / "wrong", path)
        self.assertIn(b"no inventory of luatrail; build it again with `luatrail inventory build`; the old inventory stays in force", process.stderr.readline())
        self.assertEqual({None}, run(2)[0])
        self.build("distroless", self.dir / "again")
        os.replace(self.dir / "again", path)
        time.sleep(6)
        self.assertEqual({"lua5.4"}, run(3)[0])
        self.assertEqual("", self.finish(process))

    def test_a_package_managers_record_asks_for_a_new_one(self):
        rsyslog, path, process = self.started()
        wanted = self.dir / "inventory.wanted"
        update = b"type=SOFTWARE_UPDATE msg=audit(%d.100:71): pid=900 uid=0 auid=0 ses=1 msg='op=install sw=\"lua-5.4.4-4.x86_64\" sw_type=rpm res=success'\n"
        process.stdin.write(update.replace(b"SOFTWARE_UPDATE", b"USER_CMD") % int(time.time()))
        process.stdin.flush()
        time.sleep(6)
        self.assertFalse(wanted.exists())
        process.stdin.write(update % int(time.time()))
        process.stdin.flush()
        deadline = time.monotonic() + harness.TIMEOUT
        while not wanted.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertTrue(wanted.exists())
        self.assertEqual("", self.finish(process))

    def test_one_that_is_named_must_be_there(self):
        config = self.config(self.dir / "log")
        config.write_text(config.read_text().replace("[detect]\n", '[detect]\ninventory = "/nonexistent/x"\n'))
        process = self.start(config)
        _, said = process.communicate(b"", timeout=harness.TIMEOUT)
        self.assertEqual(2, process.returncode)
        self.assertIn(b"/nonexistent/x: No such file or directory; make it with", said)


if __name__ == "__main__":
    unittest.main()
