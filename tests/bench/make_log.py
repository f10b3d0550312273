"""Makes a long audit log out of recordings: they are repeated one after the other, each time with later times and serials, so that
every event is another one. Pids, inodes and names stay as they are and come back with each repetition.

Usage: make_log.py --megabytes N LOG... >OUTPUT
"""
import argparse
import re
import sys

STAMP = re.compile(rb"audit\((\d+)\.(\d{3}):(\d+)\)")
PAUSE_MS = 1000  # between a recording's last event and the next one's first


class Recording:
    """A log cut at its stamps: `pieces` are the bytes between them."""

    def __init__(self, path):
        with open(path, "rb") as log:
            data = log.read()
        self.pieces = []
        self.stamps = []  # (milliseconds, serial) since the recording's own first
        end = 0
        for match in STAMP.finditer(data):
            self.pieces.append(data[end:match.start()])
            self.stamps.append((int(match[1]) * 1000 + int(match[2]), int(match[3])))
            end = match.end()
        if not self.stamps:
            sys.exit(f"make_log.py: {path}: no audit records; record it again")
        self.pieces.append(data[end:] if data.endswith(b"\n") else data[end:] + b"\n")
        first_ms = min(ms for ms, _ in self.stamps)
        first_serial = min(serial for _, serial in self.stamps)
        self.stamps = [(ms - first_ms, serial - first_serial) for ms, serial in self.stamps]
        self.duration_ms = max(ms for ms, _ in self.stamps)
        self.serials = max(serial for _, serial in self.stamps) + 1

    def at(self, start_ms, start_serial):
        out = []
        for piece, (ms, serial) in zip(self.pieces, self.stamps):
            ms += start_ms
            out.append(b"%saudit(%d.%03d:%d)" % (piece, ms // 1000, ms % 1000, start_serial + serial))
        out.append(self.pieces[-1])
        return b"".join(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, required=True)
    arguments.add_argument("logs", nargs="+")
    arguments = arguments.parse_args()

    recordings = [Recording(path) for path in arguments.logs]
    wanted = arguments.megabytes * 1_000_000
    written = 0
    now_ms, serial = 1_700_000_000_000, 1
    while written < wanted:
        for recording in recordings:
            written += sys.stdout.buffer.write(recording.at(now_ms, serial))
            now_ms += recording.duration_ms + PAUSE_MS
            serial += recording.serials
            if written >= wanted:
                break


main()
