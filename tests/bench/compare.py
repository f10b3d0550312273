"""Runs commands over the same file in turns and prints a table: seconds (median, least), MB/s, how many times as long as the first, and the
most memory that any of its runs held. Output goes to /dev/null.

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
    """Seconds, and the peak resident size in kB. /usr/bin/time measures memory because it is small itself: a child's peak counts what its
    parent held when it forked."""
    with tempfile.NamedTemporaryFile("r") as report:
        started = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", "-o", report.name, *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        seconds = time.perf_counter() - started
        # 1: findings for luatrail, no match for ausearch.
        if done.returncode > 1:
            sys.exit(f"compare.py: {' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()[-400:]}")
        return seconds, int(report.read())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("file")
    arguments.add_argument("commands", nargs="+")
    arguments = arguments.parse_args()

    commands = [(name, command.split()) for name, command in (text.split("=", 1) for text in arguments.commands)]
    seconds = {name: [] for name, _ in commands}
    memory = dict.fromkeys(seconds, 0)
    for number in range(arguments.runs):
        for name, command in commands:
            print(f"run {number + 1} of {arguments.runs}: {name} ...", file=sys.stderr)
            took, held = run(command)
            seconds[name].append(took)
            memory[name] = max(memory[name], held)

    megabytes = os.path.getsize(arguments.file) / 1e6
    first = statistics.median(seconds[commands[0][0]])
    width = max(len(name) for name, _ in commands)
    print(f"{megabytes:.0f} MB, {arguments.runs} runs each, {os.cpu_count()} cores, Linux {platform.release()} {platform.machine()}\n")
    print(f"{'':{width}}  {'median s':>9} {'least s':>8} {'MB/s':>7} {'ratio':>7} {'peak MiB':>9}")
    for name, _ in commands:
        median = statistics.median(seconds[name])
        print(f"{name:{width}}  {median:9.3f} {min(seconds[name]):8.3f} {megabytes / median:7.0f} {median / first:7.2f} "
              f"{memory[name] / 1024:9.1f}")


main()
