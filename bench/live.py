#!/usr/bin/env python3
"""live.py: many Socket.IO clients at one server; prints a line of figures for each scene.

  cargo build --release -p api --example live_load
  bench/live.py [--binary target/release/examples/live_load] [--quick]

Server and clients run on a core each. Scenes:
  many   10 000 clients of 50 tenants, 50 events a second: each reaches the 200 clients of its tenant
  fast   10 000 events a second stored, 2 000 of them told to one client of one tenant
"""
import argparse
import resource
import subprocess
import sys

SCENES = {
    # name: tenants, batches a second, events a batch, seconds, clients
    "many": (50, 50, 3, 60, 10_000),
    "fast": (1, 2_000, 5, 20, 1),
}


def run(binary, name, quick):
    tenants, batches, events, seconds, clients = SCENES[name]
    if quick:
        seconds, clients = max(5, seconds // 6), max(1, clients // 10)
    pinned = lambda core, *words: ["taskset", "-c", str(core), binary, *map(str, words)]
    server = subprocess.Popen(
        pinned(0, "serve", tenants, batches, events, seconds), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[1]
        idle = int(server.stdout.readline().split()[1])
        listener = subprocess.Popen(pinned(1, "listen", address, tenants, clients), stdout=subprocess.PIPE, text=True)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/examples/live_load")
    parser.add_argument("--quick", action="store_true", help="a tenth of the clients, a sixth of the time")
    parser.add_argument("--only", help="one scene")
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    whole = [run(given.binary, name, given.quick) for name in SCENES if given.only in (None, name)]
    sys.exit(0 if all(whole) else 1)


if __name__ == "__main__":
    main()
