"""The checks of check_tree.py find what they are for: each on a small tree with one fault, and on its twin without."""
import os
import tempfile
import unittest
from pathlib import Path

import check_tree


class Tree:
    """A tree of files, given as {path: text}."""

    def __init__(self, files):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name).resolve()
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)

    def faults(self, check):
        before = os.getcwd()
        os.chdir(self.root)
        try:
            return [str(fault).removeprefix(f"{self.root}/") for fault in check(self.root)]
        finally:
            os.chdir(before)
            self.directory.cleanup()


class Includes(unittest.TestCase):
    def check(self, name, text, expected):
        self.assertEqual(Tree({name: text}).faults(check_tree.includes), [f"{name}: {fault}" for fault in expected])

    def test_a_room_may_include_itself_and_rooms_to_its_left(self):
        self.check("src/host/a.cpp", '#include "luatrail/host/a.hpp"\n#include "luatrail/audit/record.hpp"\n#include "a.hpp"\n#include <vector>\n', [])

    def test_a_room_to_the_right_is_a_fault_in_sources_and_headers(self):
        fault = ["host/ includes luatrail/detect/finding.hpp, from a room to its right"]
        self.check("src/host/a.cpp", '#include "luatrail/detect/finding.hpp"\n', fault)
        self.check("include/luatrail/host/a.hpp", '#include "luatrail/detect/finding.hpp"\n', fault)
        self.check("src/host/a.cpp", '  #  include <luatrail/detect/finding.hpp>\n', fault)

    def test_private_headers_count_too(self):
        self.check("src/host/a.cpp", '#include "detect/node.hpp"\n', ["host/ includes detect/node.hpp, from a room to its right"])
        self.check("src/host/a.cpp", '#include "../detect/node.hpp"\n', ["host/ includes ../detect/node.hpp, from a room to its right"])

    def test_source_sees_the_record_of_audit_and_nothing_else(self):
        self.check("src/source/a.cpp", '#include "luatrail/audit/record.hpp"\n', [])
        self.check("src/source/a.cpp", '#include "luatrail/audit/event.hpp"\n',
                   ["source/ may include only luatrail/audit/record.hpp of audit/, not luatrail/audit/event.hpp"])

    def test_a_directory_that_is_no_room_is_a_fault(self):
        self.check("src/util/a.cpp", "", [f"'util' is no room; the rooms are {' '.join(check_tree.ROOMS)}"])


class ThirdParty(unittest.TestCase):
    def check(self, name, header, expected):
        self.assertEqual(Tree({name: f"#include <{header}>\n"}).faults(check_tree.third_party), [f"{name}: <{header}> {fault}" for fault in expected])

    def test_each_has_its_rooms(self):
        self.check("src/plugin/a.cpp", "boost/asio/io_context.hpp", [])
        self.check("src/base/toml_reader.cpp", "toml++/toml.h", [])
        self.check("src/detect/a.cpp", "boost/asio/io_context.hpp", ["belongs in report/ plugin/ base/asio.cpp"])
        self.check("src/base/text.cpp", "toml++/toml.h", ["belongs in base/toml_reader."])

    def test_none_is_in_a_public_header(self):
        self.check("include/luatrail/report/a.hpp", "nlohmann/json.hpp", ["in a public header; keep it in a .cpp file"])

    def test_a_new_one_must_be_listed(self):
        self.check("src/cli/a.cpp", "absl/strings.h", ["is in no list; add it to THIRD_PARTY with the rooms that may include it"])
        self.check("src/cli/a.cpp", "sys/stat.h", [])


class Words(unittest.TestCase):
    def check(self, name, text, expected):
        self.assertEqual(Tree({name: text}).faults(check_tree.words), [f"{name}: {fault}" for fault in expected])

    def test_a_sentence_in_detect_is_a_fault_in_report_it_is_not(self):
        text = 'auto why = known ? "no baseline was given" : "";\n'
        self.check("src/detect/a.cpp", text, ['"no baseline was given" is for report/ to say'])
        self.check("src/detect/a.cpp", 'why = "a sentence in "\n      "two parts";\n', ['"a sentence in two parts" is for report/ to say'])
        self.check("src/report/a.cpp", text, [])

    def test_names_comments_and_errors_of_a_data_file_are_none(self):
        self.check("src/detect/a.cpp", 'id = "script-drop"; // "not a sentence"\nif (x) {\n    row.complain("id",\n        "an entry has an id");\n}\n'
                                       'throw base::UnpackError("a node is there twice");\n', [])

    def test_what_makes_bytes_safe_to_show_is_the_reports(self):
        self.check("include/luatrail/detect/a.hpp", "return base::printable(path);\n", ["printable() is for report/"])
        self.check("src/detect/a.cpp", "return shell_quoted (path); // printable(x)\n", ["shell_quoted() is for report/"])
        self.check("src/report/a.cpp", "return base::printable(path);\n", [])


class Headers(unittest.TestCase):
    def check(self, files, expected):
        self.assertEqual(Tree(files).faults(check_tree.headers), expected)

    def test_a_source_has_a_header_of_its_name_public_or_beside_it(self):
        self.check({"src/detect/a.cpp": "", "src/detect/a.hpp": ""}, [])
        self.check({"src/detect/a.cpp": "", "include/luatrail/detect/a.hpp": ""}, [])
        self.check({"src/detect/a.cpp": "", "src/detect/b.hpp": ""}, ["src/detect/a.cpp: no header of its name"])
        self.check({"src/detect/a.hpp": "int a = 1;\n"}, [])

    def test_only_the_commands_share_a_header(self):
        self.check({"src/cli/commands.hpp": "Command add_doctor(CLI::App& app);\n", "src/cli/doctor.cpp": ""}, [])
        self.check({"src/cli/a.cpp": ""}, ["src/cli/a.cpp: no header of its name"])

    def test_what_a_header_declares_is_in_the_source_of_its_name(self):
        declared = "namespace a {\nstd::vector<int> all_of(const Node& node,\n                        int (*ask)(int)) const;\n}\n"
        self.check({"src/detect/a.hpp": declared, "src/detect/a.cpp": ""}, [])
        self.check({"src/detect/a.hpp": declared},
                   ["src/detect/a.hpp: no source of its name, and declares std::vector<int> all_of(const Node& node, int (*ask)(int)) const;"])

    def test_a_header_that_defines_all_it_declares_needs_no_source(self):
        self.check({"src/detect/a.hpp": "struct A {\n    virtual ~A() = default;\n    virtual void on(int) = 0;\n    int b{};\n    int f(int c) const {\n"
                                        "        g(c);\n        return b;\n    }\n};\ntemplate <class T>\nint size_of(const T& all);\n"
                                        "template <class T>\nint size_of(const T& all) {\n    call(all);\n    return 1;\n}\n"}, [])


class Others(unittest.TestCase):
    def test_a_log_needs_a_golden(self):
        log = "fixtures/scenarios/x/audit.log"
        self.assertEqual(Tree({log: "", "fixtures/scenarios/x/findings.jsonl": ""}).faults(check_tree.goldens), [])
        self.assertEqual(Tree({log: "", "fixtures/scenarios/y/findings.jsonl": ""}).faults(check_tree.goldens),
                         [f"{log}: no golden beside it; run scripts/update-goldens and read what it wrote"])

    def test_a_tree_without_any_log_is_a_fault(self):
        self.assertEqual(Tree({"fixtures/README.md": ""}).faults(check_tree.goldens), ["fixtures: no recorded log at all"])

    def test_a_file_may_have_450_lines(self):
        self.assertEqual(Tree({"src/cli/a.cpp": "\n" * 450}).faults(check_tree.sizes), [])
        self.assertEqual(Tree({"src/cli/a.cpp": "\n" * 451}).faults(check_tree.sizes),
                         ["src/cli/a.cpp: 451 lines (at most 450): is it one thing?"])

    def test_a_document_keeps_to_100_columns_outside_tables_and_code(self):
        wide = "x" * 101
        self.assertEqual(Tree({"docs/a.md": f"{wide[1:]}\n| {wide} |\n```\n{wide}\n```\n"}).faults(check_tree.documents), [])
        self.assertEqual(Tree({"docs/a.md": f"```\n```\n{wide}\n"}).faults(check_tree.documents), ["docs/a.md:3: 101 columns; wrap it at 100"])

    def test_a_document_names_what_is_there(self):
        facts = "## Where to find what\n| a | `src/a.cpp` |\n## B\n`src/b.cpp`\n"
        self.assertEqual(Tree({"docs/design.md": facts, "src/a.cpp": ""}).faults(check_tree.documents), [])
        self.assertEqual(Tree({"docs/design.md": facts}).faults(check_tree.documents), ["docs/design.md: names src/a.cpp, which is not there"])
        self.assertEqual(Tree({"README.md": "[a](docs/a.md#b) [c](https://c)\n", "docs/a.md": ""}).faults(check_tree.documents), [])
        self.assertEqual(Tree({"README.md": "[a](docs/a.md)\n"}).faults(check_tree.documents), ["README.md: links to docs/a.md, which is not there"])

    def test_a_script_explains_itself(self):
        self.assertEqual(Tree({"scripts/a": "#!/bin/bash\necho 'Usage: a'\n"}).faults(check_tree.usage), [])
        self.assertEqual(Tree({"scripts/a": "#!/bin/bash\necho no >&2\nexit 2\n"}).faults(check_tree.usage),
                         ["scripts/a: -h ended with 2 and printed: 'no\\n'"])

    @unittest.skipUnless(check_tree.shutil.which("shellcheck"), "no shellcheck")
    def test_shellcheck_sees_scripts_without_an_ending(self):
        self.assertEqual(Tree({"scripts/a": "#!/bin/bash\necho \"$1\"\n"}).faults(check_tree.shellcheck), [])
        self.assertIn("SC2086", "".join(Tree({"scripts/a": "#!/bin/bash\nls $1\n"}).faults(check_tree.shellcheck)))


if __name__ == "__main__":
    unittest.main()
