#!/usr/bin/env python3
"""hooks.py: how soon hooks are told, and what a delivery costs; prints a line of figures for each scene and database.

  cargo build --release -p api --example hook_load
  bench/hooks.py [--binary target/release/examples/hook_load] [--only paced] [--database sqlite] [--quick]

The server and the receiver of its messages run on a core each, PostgreSQL (Debian's, on a free port of the loopback for the
time of the run) beside the receiver. Scenes:
  paced   50 calls a second for a minute, of 20 tenants with a native hook each: each event is a message
  burst   2 000 calls of the same tenants at once: how fast they go out
"""
import argparse
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HOOKS = 20
SCENES = {
    # name: calls, calls a second
    "paced": (3_000, 50),
    "burst": (2_000, 0),
}


class Postgres:
    """A server in a temporary folder."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        if not programs:
            sys.exit("PostgreSQL is missing: apt install postgresql")
        self.bin = programs[-1]
        self.folder = tempfile.mkdtemp()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        options = f"-p {port} -h 127.0.0.1 -k {self.folder} -c synchronous_commit=off"
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"

    def run(self, program, *words):
        # PostgreSQL does not run as root.
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = prefix + ["taskset", "-c", "1", f"{self.bin}/{program}", "-D", f"{self.folder}/data", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def stop(self):
        self.run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


def run(binary, name, database, quick):
    calls, rate = SCENES[name]
    if quick:
        calls //= 6
    server = Postgres() if database == "postgres" else None
    pinned = lambda core, *words: ["taskset", "-c", str(core), binary, *map(str, words)]
    receiver = subprocess.Popen(pinned(1, "receive"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = receiver.stdout.readline().strip()
        words = pinned(0, "serve", url, HOOKS, calls, rate) + ([server.url] if server else [])
        told = pairs(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, timeout=600).stdout)
        heard = pairs(receiver.communicate("\n", timeout=60)[0])
    finally:
        receiver.kill()
        if server:
            server.stop()
    messages, cpu = told["delivered"], told["cpu"] * 1e3 / max(1, told["delivered"])
    print(f"{name} {database}: {messages:.0f} of {told['events']:.0f} events delivered in {told['wall']:.1f} s (stored after "
          f"{told['stored']:.1f}), {messages / told['wall']:.0f} a second, {told['failed']:.0f} failed; from event to receiver "
          f"p50 {heard['p50']} p95 {heard['p95']} p99 {heard['p99']} max {heard['max']} ms; "
          f"{cpu:.2f} ms of CPU a message, {told['cpu'] / told['wall'] * 100:.0f} % of a core", flush=True)
    return told["delivered"] == told["events"] == heard["heard"] and told["failed"] == 0


def pairs(line):
    return {name: float(value) for name, value in re.findall(r"(\w+) ([\d.]+)", line)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/examples/hook_load")
    parser.add_argument("--only", choices=SCENES, help="one scene")
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="one database")
    parser.add_argument("--quick", action="store_true", help="a sixth of the calls")
    given = parser.parse_args()
    whole = [run(given.binary, name, database, given.quick)
             for database in ["sqlite", "postgres"] if given.database in (None, database)
             for name in SCENES if given.only in (None, name)]
    sys.exit(0 if all(whole) else 1)


if __name__ == "__main__":
    main()
