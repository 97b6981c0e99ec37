#!/usr/bin/env python3
"""live.py: many Socket.IO clients at one server; prints a line of figures for each scene.

  cargo build --release -p api --example live_load && cargo build --release -p server
  bench/live.py [--binary target/release/examples/live_load] [--server target/release/tongdai] [--only many] [--quick]

Server and clients run on a core each. Scenes:
  storm  10 000 clients of 50 tenants come at once to `tongdai serve`: how soon all have signed, and what each takes there
  many   10 000 clients of 50 tenants, 50 events a second: each reaches the 200 clients of its tenant
  fast   10 000 events a second stored, 2 000 of them told to one client of one tenant
"""
import argparse
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

SCENES = {
    # name: tenants, batches a second, events a batch, seconds, clients
    "storm": (50, 0, 0, 0, 10_000),
    "many": (50, 50, 3, 60, 10_000),
    "fast": (1, 2_000, 5, 20, 1),
}
# Clients a second where the storm is not what is measured.
RATE = 5_000


def pinned(core, binary, *words):
    return ["taskset", "-c", str(core), binary, *map(str, words)]


def run(binary, name, quick):
    tenants, batches, events, seconds, clients = SCENES[name]
    if quick:
        seconds, clients = max(5, seconds // 6), max(1, clients // 10)
    server = subprocess.Popen(pinned(0, binary, "serve", tenants, batches, events, seconds),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[1]
        idle = int(server.stdout.readline().split()[1])
        listener = subprocess.Popen(pinned(1, binary, "listen", address, tenants, clients, RATE),
                                    stdout=subprocess.PIPE, text=True)
        signed = int(listener.stdout.readline().split()[1])
        server.stdin.write("\n")
        server.stdin.flush()
        connected = int(server.stdout.readline().split()[1])
        told = dict(zip(*[iter(server.stdout.readline().split())] * 2))
        server.wait(timeout=60)
        heard = dict(zip(*[iter(listener.communicate(timeout=60)[0].split())] * 2))
    finally:
        server.kill()
    expected = int(told["told"]) * clients // tenants
    kilobytes = (connected - idle) / max(1, signed)
    cpu = float(told["cpu"]) / float(told["wall"]) * 100
    rate = int(told["stored"]) / float(told["wall"])
    print(f"{name}: {signed} of {clients} clients, {kilobytes:.1f} kB each; {rate:.0f} events/s stored, heard {heard['heard']} "
          f"of {expected}: p50 {heard['p50']} p95 {heard['p95']} p99 {heard['p99']} max {heard['max']} ms; "
          f"server {cpu:.0f} % of a core, generator at most {told['late_ms']} ms late", flush=True)
    return signed == clients and int(heard["heard"]) == expected


def storm(binary, program, quick):
    tenants, clients = SCENES["storm"][0], SCENES["storm"][4] // (10 if quick else 1)
    with tempfile.TemporaryDirectory(prefix="tongdai-bench-") as folder:
        provision = os.path.join(folder, "provision.yaml")
        with open(provision, "w") as file:
            file.write("tenants:\n")
            for nth in range(tenants):
                file.write(f"  - name: VPBX_{nth}\n    keys: [{{ kind: voip24h, voip: VOIPKEY_{nth}, secret: SECRET_{nth}, "
                           "socket_sessions: 10000 }]\n    extensions: [{ number: '101', name: Desk, password: pw-101 }]\n")
        address = f"127.0.0.1:{free_port()}"
        server = subprocess.Popen(
            pinned(0, program, "serve", "--data-dir", f"{folder}/data", "--provision", provision, "--sip",
                   f"127.0.0.1:{free_port()}", "--http", address, "--rtp-ports", "30000-30099", "--drain-seconds", "1"),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        listener = None
        try:
            readable = select.select([server.stdout], [], [], 30)[0]
            if not readable or not server.stdout.readline().startswith("ready "):
                sys.exit("the server did not start")
            # What starting took is given back by then.
            time.sleep(3)
            idle, cpu = memory_kb(server.pid), cpu_seconds(server.pid)
            listener = subprocess.Popen(pinned(1, binary, "listen", address, tenants, clients, 0),
                                        stdout=subprocess.PIPE, text=True)
            came = dict(zip(*[iter(listener.stdout.readline().split())] * 2))
            signed, cpu = int(came["signed"]), cpu_seconds(server.pid) - cpu
            # Past the moment at which everything that watched over their coming has ended, and a ping.
            time.sleep(30)
            connected = memory_kb(server.pid)
        finally:
            for process in filter(None, (server, listener)):
                process.terminate()
                process.wait(20)
    print(f"storm: {signed} of {clients} clients signed within {came.get('seconds')} s, {cpu * 1e3 / max(1, signed):.2f} ms of CPU "
          f"and {(connected - idle) / max(1, signed):.1f} kB each", flush=True)
    return signed == clients


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_kb(process):
    with open(f"/proc/{process}/smaps_rollup") as text:
        return next(int(line.split()[1]) for line in text if line.startswith("Pss:"))


def cpu_seconds(process):
    with open(f"/proc/{process}/stat") as text:
        fields = text.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/examples/live_load")
    parser.add_argument("--server", default="target/release/tongdai")
    parser.add_argument("--quick", action="store_true", help="a tenth of the clients, a sixth of the time")
    parser.add_argument("--only", choices=SCENES, help="one scene")
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scene = lambda name: storm(given.binary, given.server, given.quick) if name == "storm" else run(given.binary, name, given.quick)
    whole = [scene(name) for name in SCENES if given.only in (None, name)]
    sys.exit(0 if all(whole) else 1)


if __name__ == "__main__":
    main()
