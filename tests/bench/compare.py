"""Runs commands over the same file in turns and prints a table: median seconds by the clock and of the processor, MB/s by the clock, how
many times as long as the first command by each, and the most memory that any run held. Output goes to /dev/null.

Usage: compare.py --runs N FILE "NAME=COMMAND"...
"""
import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time


def run(command):
    """Seconds by the clock, seconds of the processor, and the peak resident size in kB. /usr/bin/time measures memory because it is small itself:
    a child's peak counts what its parent held when it forked."""
    with tempfile.NamedTemporaryFile("r") as report, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        child = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", report.name, *command], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        # 1: findings for luatrail, no match for ausearch.
        if child.returncode not in (0, 1):
            errors.seek(0)
            sys.exit(f"compare.py: {' '.join(command)}: exit status {child.returncode}: {errors.read().strip()[-400:]}")
        return seconds, usage.ru_utime + usage.ru_stime, int(report.read())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("file")
    arguments.add_argument("commands", nargs="+")
    arguments = arguments.parse_args()

    commands = [(name, command.split()) for name, command in (text.split("=", 1) for text in arguments.commands)]
    results = {name: [] for name, _ in commands}
    for number in range(arguments.runs):
        for name, command in commands:
            print(f"run {number + 1} of {arguments.runs}: {name}", file=sys.stderr)
            results[name].append(run(command))

    megabytes = os.path.getsize(arguments.file) / 1e6
    width = max(map(len, results))
    print(f"{megabytes:.0f} MB, {arguments.runs} runs each, {os.cpu_count()} cores, Linux {platform.release()} {platform.machine()}\n")
    print(f"{'':{width}}  {'clock s':>8} {'CPU s':>8} {'MB/s':>7} {'x clock':>8} {'x CPU':>8} {'peak MiB':>9}")
    first = None
    for name, runs in results.items():
        clock, processor = (statistics.median(values) for values in list(zip(*runs))[:2])
        peak = max(held for _, _, held in runs)
        first = first or (clock, processor)
        print(f"{name:{width}}  {clock:8.3f} {processor:8.3f} {megabytes / clock:7.0f} {clock / first[0]:8.2f} "
              f"{processor / first[1]:8.2f} {peak / 1024:9.1f}")


main()
