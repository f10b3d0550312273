"""What cmake/compile.cmake asks of the compiler and the linker stands in the programs that they made.

CMakeLists.txt sets beside harness.py's: CXX, the compiler; FORTIFIED=1 where the build has _FORTIFY_SOURCE; RPM_HELPER, where it is built.
"""
import os
import platform
import re
import subprocess
import unittest

import harness

CXX = os.environ.get("CXX") or "c++"
PROGRAMS = [harness.LUATRAIL, *filter(None, [os.environ.get("RPM_HELPER")])]
START_FILES = ["Scrt1.o", "crti.o", "crtbeginS.o", "crtendS.o", "crtn.o"]  # what the compiler links into each program
MARKS = {"x86_64": r"endbr64", "aarch64": r"(bti|paciasp)"}  # the first instruction of what may be jumped to


def printed(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True, env=harness.environment()).stdout


def start_files_have_features():
    """The linker keeps the feature note only if everything that it links has one."""
    files = [printed(CXX, f"-print-file-name={name}").strip() for name in START_FILES]
    return all(re.search(r"IBT|BTI", printed("readelf", "-nW", file)) for file in files)


def weaknesses(program, fortified):
    """What of the hardening the program lacks, by name."""
    headers, dynamic = printed("readelf", "-hlW", program), printed("readelf", "-dW", program)
    symbols = printed("readelf", "--dyn-syms", "-W", program)
    entry = printed("objdump", "-d", "--disassemble=main", "--no-show-raw-insn", program)
    mark = MARKS.get(platform.machine())
    stack = re.search(r"GNU_STACK.* ([R ][W ][E ]) ", headers)
    has = {
        "PIE": re.search(r"Type: +DYN", headers) and re.search(r"FLAGS_1\).*\bPIE\b", dynamic),
        "RELRO": "GNU_RELRO" in headers,
        "BIND_NOW": re.search(r"FLAGS_1\).*\bNOW\b", dynamic),
        "a stack that is not executable": stack and "E" not in stack[1],
        "no segment that is writable and executable": not re.search(r"LOAD.* .WE ", headers),
        "no RPATH": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        "no TEXTREL": "TEXTREL" not in dynamic,
        "stack protector": "__stack_chk_fail" in symbols,
        "checked functions": not fortified or re.search(r"__(?!stack_chk)\w+_chk\b", symbols),
        "marked jump targets": not mark or re.search(rf"<main>:\n[^\n]*\b{mark}", entry),
        "the note of marked jump targets": not mark or not start_files_have_features() or re.search(r"IBT, SHSTK|BTI", printed("readelf", "-nW", program)),
    }
    return [name for name, there in has.items() if not there]


class HardeningTest(harness.TestCase):
    def setUp(self):
        harness.needs("readelf")
        harness.needs("objdump")

    def test_each_program_is_hardened(self):
        for program in PROGRAMS:
            with self.subTest(program):
                self.assertEqual([], weaknesses(program, os.environ.get("FORTIFIED") == "1"))

    def test_a_weak_program_shows_its_weaknesses(self):
        weak = self.directory() / "weak"
        flags = ["-O0", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-fno-pie", "-no-pie", "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp"]
        if platform.machine() in MARKS:
            flags.append({"x86_64": "-fcf-protection=none", "aarch64": "-mbranch-protection=none"}[platform.machine()])
        subprocess.run([CXX, "-x", "c++", "-", *flags, "-o", weak], input=b"int main() {}", check=True)
        expected = ["PIE", "RELRO", "BIND_NOW", "a stack that is not executable", "no RPATH", "stack protector", "checked functions"]
        expected += ["marked jump targets"] if platform.machine() in MARKS else []
        self.assertEqual(expected, [name for name in weaknesses(weak, True) if "note" not in name])


if __name__ == "__main__":
    unittest.main()
