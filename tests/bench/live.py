"""Measures luatrail as a plugin; scripts/bench-live prepares what it needs. Markdown tables on standard output.

Usage: live.py PART BUILD [--seconds N] [--runs N] [--laurel PROGRAM]

PART is feed (a made-up stream, beside laurel), kernel (a real auditd and real execs) or rules (what each profile asks for).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import kernel  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
RATES = (100, 1000, 10_000)


def config(directory, socket):
    path = directory / "luatrail.toml"
    syslog = f'socket = "{socket}"' if socket else 'transport = "off"'
    path.write_text(
        f'[state]\ndirectory = "{directory}"\n[status]\nfile = "{directory}/status.json"\nevery = "1s"\n[detect]\nbaseline = []\nprofiles = []\n'
        f'[syslog]\n{syslog}\n[limits]\nrepeat = "0s"\n'
    )
    return path


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def feed(options, directory):
    (directory / "laurel").mkdir()
    (directory / "laurel.toml").write_text(
        f'directory = "{directory}/laurel"\n[auditlog]\nfile = "audit.log"\nsize = 1000000000\ngenerations = 1\n'
    )
    (directory / "sink").write_text("#!/bin/sh\nexec cat >/dev/null\n")
    (directory / "sink").chmod(0o755)
    socket = directory / "log"
    commands = {"luatrail": [options.build / "luatrail", "plugin", f"--config={config(directory, socket)}"]}
    if options.laurel:
        commands["laurel"] = [options.laurel, "--config", directory / "laurel.toml"]
    commands["cat"] = [directory / "sink"]
    row("execs a second", "program", "findings of runs", "latency p50 ms", "p99 ms", "CPU of one core", "peak MiB")
    row(*["---"] * 7)
    for rate in RATES:
        results = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():  # in turns: what disturbs, disturbs all
                done = subprocess.run(
                    [options.build / "tests/bench/feed", str(rate), str(options.seconds), socket, *command],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                )  # fmt: skip
                results[name].append(json.loads(done.stdout))
        for name, runs in results.items():

            def median(key, runs=runs):
                return statistics.median(run[key] for run in runs)

            held_up = "" if median("execs_a_second") > 0.98 * rate else f" (took {median('execs_a_second'):.0f})"
            findings = f"{sum(run['findings'] for run in runs)} of {sum(run['runs'] for run in runs)}" if name == "luatrail" else "-"
            latency = (f"{median('p50_ms'):.1f}", f"{median('p99_ms'):.1f}") if name == "luatrail" else ("-", "-")
            row(f"{rate}{held_up}", name, findings, *latency, f"{100 * median('cpu_share'):.1f} %", f"{median('peak_mib'):.0f}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def real_kernel(options, directory):
    program = directory / "program"
    program.write_bytes((options.build / "luatrail").read_bytes())
    program.chmod(0o755)
    plugin = f"active = yes\ndirection = out\npath = {program}\ntype = always\nargs = plugin --config={config(directory, None)}\nformat = string\n"
    (directory / "sink").write_text("#!/bin/sh\nexec cat >/dev/null\n")
    (directory / "sink").chmod(0o755)
    sink = f"active = yes\ndirection = out\npath = {directory}/sink\ntype = always\nformat = string\n"
    rules = subprocess.run([options.build / "luatrail", "rules"], stdout=subprocess.PIPE, check=True, text=True).stdout
    row("execs a second", "plugin", "execs done", "CPU of auditd", "CPU of the plugin", "half of events within", "99 % within", "lost")
    row(*["---"] * 8)
    for rate in (100, 500, 5000):
        for name, text in (("none", None), ("cat", sink), ("luatrail", plugin)):
            with kernel.KernelAudit() as audit:
                audit.load(rules, directory)
                audit.start_auditd(directory, {f"{name}.conf": text} if text else {})
                time.sleep(2)
                children = subprocess.run(["pgrep", "-P", str(audit.auditd.pid)], stdout=subprocess.PIPE, check=False, text=True)
                child = int(children.stdout.split()[0]) if children.stdout else None
                before = cpu_seconds(audit.auditd.pid), cpu_seconds(child) if child else 0
                done = subprocess.run(
                    [options.build / "tests/e2e/storm", str(rate), str(options.seconds), "exec"], stdout=subprocess.PIPE, check=True
                )
                time.sleep(2)
                after = cpu_seconds(audit.auditd.pid), cpu_seconds(child) if child else 0
                lost = int(kernel.status()["lost"])
                status = json.loads((directory / "status.json").read_text()) if name == "luatrail" else None
                row(
                    rate, name, f"{int(done.stdout) / options.seconds:.0f} a second",
                    *(f"{100 * (later - earlier) / options.seconds:.1f} %" for earlier, later in zip(before, after)),
                    *((f"{status['lag']['p50_ms_at_most']} ms", f"{status['lag']['p99_ms_at_most']} ms") if status else ("-", "-")), lost,
                )  # fmt: skip
            for path in (directory / "audit.log", directory / "state", directory / "etc/plugins.d" / f"{name}.conf"):
                path.unlink(missing_ok=True)


def events_of(log):
    return len({line.split(b"msg=audit(", 1)[1].split(b")", 1)[0] for line in open(log, "rb") if b"msg=audit(" in line})


def compile_for(seconds, directory):
    """Compiles one file after another, as many at a time as there are processors. Returns how many."""
    end = time.monotonic() + seconds
    compiled = 0
    while time.monotonic() < end:
        jobs = [
            subprocess.Popen(["g++", "-std=c++20", "-O1", "-c", "-I", TOP / "include", TOP / "src/base/glob.cpp", "-o", directory / f"{at}.o"])
            for at in range(2)
        ]
        compiled += sum(job.wait() == 0 for job in jobs)
    return compiled


def rules_cost(options, directory):
    row("profile", "host", "events a minute", "MiB of audit.log a minute")
    row(*["---"] * 4)
    for profile in ("full", "lean"):
        rules = subprocess.run([options.build / "luatrail", "rules", "--profile", profile], stdout=subprocess.PIPE, check=True, text=True).stdout
        for name, work in (("idle", time.sleep), ("compiling", lambda seconds: compile_for(seconds, directory))):
            with kernel.KernelAudit() as audit:
                audit.load(rules, directory)
                audit.start_auditd(directory, {})
                time.sleep(1)
                log = directory / "audit.log"
                before, size = events_of(log), log.stat().st_size
                done = work(options.seconds)
                time.sleep(1)
                minutes = options.seconds / 60
                row(
                    profile, f"compiling ({done / minutes:.0f} files a minute)" if done else name,
                    f"{(events_of(log) - before) / minutes:.0f}", f"{(log.stat().st_size - size) / minutes / 2**20:.2f}",
                )  # fmt: skip
            log.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("feed", "kernel", "rules"))
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--laurel")
    options = parser.parse_args()
    options.build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="luatrail-bench-") as directory:
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        {"feed": feed, "kernel": real_kernel, "rules": rules_cost}[options.part](options, directory)


if __name__ == "__main__":
    main()
