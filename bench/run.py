#!/usr/bin/env python3
"""run.py: measures Tongdai against its goals and prints one table (medians of --runs runs).

  ./run.py                      everything, about ten minutes
  ./run.py --quick              every figure once and briefly, in two: does it all work?
  ./run.py --only calls,dial    some figures: calls register media recorded setup dial events start storm
  ./run.py --build              builds server and generators first
  ./run.py --write              puts the table into README.md, between its markers

Each figure gets a server of its own, with an empty data folder, on CPU 0; the generators run on CPU 1. Ports 5060, 5070,
5080 and 30000 to 31199 on loopback must be free. Whatever it starts it ends, after 25 minutes at the latest.
"""
import argparse
import contextlib
import datetime
import json
import os
import platform
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BEGIN, END = "<!-- table: begin (written by run.py --write) -->", "<!-- table: end -->"
SIP = ("127.0.0.1", 5060)
CUSTOMERS = ["--prefix", "090"]
# Below the ports that the kernel gives to outgoing connections.
SOUND = 30000


class Failed(Exception):
    """A figure that could not be measured, and why."""


# --- the server under test


def provision(record):
    """A tenant with the generators' callers and agents, a trunk to the generator, and limits that none of them meets."""
    flags = f"lines: 20, record: {'true' if record else 'false'}"
    people = "\n".join(
        f'      - {{ number: "{user}", password: pw{user}, caller_id: "02873088088", {flags} }}'
        for user in [*range(1000, 2000), *range(2000, 2100)]
    )
    return f"""\
tenants:
  - name: VPBX_BENCH
    default: true
    keys:
      - {{ kind: voip24h, voip: VOIPKEY_DEMO, secret: SECRET_DEMO }}
    extensions:
{people}
    trunks:
      - {{ name: carrier, address: 127.0.0.1:5080, accept_from: [127.0.0.1], max_calls: 100000, max_calls_per_second: 100000 }}
    outbound:
      - {{ prefix: "0", trunks: [carrier] }}
    numbers:
      - {{ number: "02873088088", route: {{ extension: "1000" }} }}
    limits: {{ concurrent_calls: 100000, calls_per_second: 100000 }}
"""


class Server:
    """A server on CPU 0 with a data folder of its own."""

    def __init__(self, options, record=False, folder=None):
        self.own_folder = None if folder else tempfile.mkdtemp(prefix="tongdai-bench-")
        self.folder = folder or self.own_folder
        file = os.path.join(self.folder, "provision.yaml")
        with open(file, "w") as out:
            out.write(provision(record))
        port = free_port()
        self.http = f"127.0.0.1:{port}"
        self.command = ["taskset", "-c", "0", options.server, "serve", "--data-dir", os.path.join(self.folder, "data"),
                        "--provision", file, "--sip", "%s:%d" % SIP, "--http", self.http, "--rtp-ports", "10000-19999",
                        "--unlimited-from", "127.0.0.0/8", "--drain-seconds", "2"]
        self.errors = open(os.path.join(self.folder, "stderr"), "ab")
        self.started = time.monotonic()
        # taskset becomes the server, so that the process id is the server's.
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self):
        readable = select.select([self.process.stdout], [], [], 20)[0]
        line = self.process.stdout.readline().decode(errors="replace") if readable else "not ready within 20 s"
        if not line.startswith("ready "):
            words = self.last_words()
            self.stop()
            raise Failed(f"the server did not start: {words or line.strip()}")
        return self

    def last_words(self):
        with open(os.path.join(self.folder, "stderr"), errors="replace") as text:
            return " / ".join(text.read().strip().splitlines()[-3:])

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"the server ended with status {self.process.returncode}: {self.last_words()}")

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as text:
            return next(int(line.split()[1]) for line in text if line.startswith("Pss:"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        if self.own_folder:
            shutil.rmtree(self.own_folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_ports():
    """What the generators and the server need must be free: another server there would be measured in place of ours."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        for port in (5060, 5070, 5080, SOUND):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as why:
                    sys.exit(f"port {port} is taken ({why.strerror}): end whatever listens there")


# --- the generators


def generate(options, server, program, mode, *arguments, limit=180):
    """One run of a generator on CPU 1; its JSON object."""
    command = ["taskset", "-c", "1", program, mode, "--target", "%s:%d" % SIP, "--server-pid", str(server.process.pid)]
    command += [str(argument) for argument in arguments]
    try:
        plain = {**os.environ, "RUST_BACKTRACE": "0"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL, env=plain)
    except subprocess.TimeoutExpired:
        raise Failed(f"{os.path.basename(program)} {mode} took longer than {limit} s") from None
    server.check()
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Failed(f"{mode}: {(done.stderr or done.stdout).strip()[-300:]}") from None
    if options.out:
        with open(options.out, "a") as out:
            out.write(json.dumps({"arguments": command[4:], **found}) + "\n")
    if "error" in found:
        raise Failed(f"{mode}: {found['error']}")
    return found


def sipload(options, server, mode, *arguments):
    return generate(options, server, options.sipload, mode, "--rtp-base", SOUND, *arguments)


def clickload(options, server, mode, *arguments):
    return generate(options, server, options.clickload, mode, "--http", server.http, "--sound-port", SOUND, *arguments)


def troubles(found):
    """What should be zero and is not."""
    names = ("failed", "unfinished", "retx_sent", "uas_retx", "dup_invites", "prereg_failed", "udp_rcvbuf_drops", "bad_rtp", "loss_pct",
             "events_missing", "events_doubled", "stories_out_of_order", "events_wrong_callid", "events_strange")
    late = found.get("gen_late_max_us", 0) // 1000
    return {name: found[name] for name in names if found.get(name)} | ({"generator late, ms": late} if late > 100 else {})


# --- the figures: each gives rows (name, goal, samples, how to show and judge them)


class Row:
    """One line of the table: a value or several, each with the most it may be (or the least, for rates). Without goals it
    only informs."""

    def __init__(self, name, goals, unit, shown="{:.2f}", least=False):
        self.name, self.goals, self.unit, self.shown, self.least = name, goals, unit, shown, least
        self.samples, self.troubles = [], {}

    def add(self, *values, found=None):
        self.samples.append(values)
        self.note(found or {})

    def note(self, found):
        for name, count in troubles(found).items():
            self.troubles[name] = max(count, self.troubles.get(name, 0))

    def medians(self):
        return [statistics.median(column) for column in zip(*self.samples)]

    def met(self):
        kept = (lambda value, goal: value >= goal) if self.least else (lambda value, goal: value <= goal)
        return bool(self.samples) and not self.troubles and all(map(kept, self.medians(), self.goals))

    def line(self):
        sign = "≥" if self.least else "≤"
        goal = " / ".join(self.text(goal) for goal in self.goals)
        measured = " / ".join(self.text(value) for value in self.medians()) if self.samples else "not measured"
        notes = ", ".join(f"{name} {count}" for name, count in self.troubles.items())
        unit = f" {self.unit}" if self.unit else ""
        goal = f"{sign} {goal}{unit}" if self.goals else "–"
        verdict = "**no**" if not self.met() else "yes" if self.goals else "–"
        return f"| {self.name} | {goal} | {measured}{unit}{f' ({notes})' if notes else ''} | {verdict} |"

    def text(self, value):
        if isinstance(value, float):
            text = self.shown.format(value)
            return text.rstrip("0").rstrip(".") if "." in text else text
        return str(value)


def ms(found, name, *points):
    """Percentiles of a delay that a generator gives in microseconds, in ms."""
    if not found.get(name):
        raise Failed(f"no {name} was measured: {json.dumps(troubles(found))} {found.get('fail_notes')}")
    return [found[name][point] / 1000 for point in points]


def calls(options):
    row = Row("digest calls INVITE…BYE, saturated, per CPU second", [1000], "", "{:.0f}", least=True)
    with Server(options).wait_ready() as server:
        for _ in range(options.runs):
            found = sipload(options, server, "calls", "--rate", 0, "--window", 8, "--secs", options.span(8), *CUSTOMERS)
            row.add(found["done_per_server_cpu_s"], found=found)
            time.sleep(1)
    return [row]


def register(options):
    row = Row("digest REGISTER, saturated, per CPU second", [15000], "", "{:.0f}", least=True)
    with Server(options).wait_ready() as server:
        for _ in range(options.runs):
            found = sipload(options, server, "register", "--rate", 0, "--window", 20, "--secs", options.span(8))
            row.add(found["done_per_server_cpu_s"], found=found)
            time.sleep(1)
    return [row]


def media(options):
    count = 100 if options.quick else 300
    share = Row(f"{count} G.711 calls relayed: share of a core per 100 calls", [9.0], "%")
    memory = Row("memory a relayed call", [150.0], "kB", "{:.0f}")
    delay = Row(f"relay delay at {count} calls, p50 / p99", [0.1, 0.4], "ms", "{:.3f}")
    loss = Row(f"loss at {count} calls", [0.0], "%", "{:.4f}")
    rows = [share, memory, delay, loss]
    for _ in range(options.runs):
        with Server(options).wait_ready() as server:
            time.sleep(2)
            found = sipload(options, server, "media", "--calls", count, "--secs", options.span(10), *CUSTOMERS)
            all_up(found, count)
            share.add(found["cpu_pct_per_100_calls"], found=found)
            memory.add(found["rss_kb_per_call"])
            delay.add(*ms(found, "relay_delay_us", "p50", "p99"))
            loss.add(found["loss_pct"])
    return rows


def recorded(options):
    count = 30 if options.quick else 100
    row = Row(f"{count} calls relayed and recorded: share of a core per 100 calls", [13.0], "%")
    for _ in range(options.runs):
        with Server(options, record=True).wait_ready() as server:
            time.sleep(2)
            found = sipload(options, server, "media", "--calls", count, "--secs", options.span(10), *CUSTOMERS)
            all_up(found, count)
            wav = recordings(os.path.join(server.folder, "data"))
            if len(wav) < count or min(wav) < 16000:
                raise Failed(f"{count} calls left {len(wav)} recordings, the smallest of {min(wav, default=0)} bytes")
            row.add(found["cpu_pct_per_100_calls"], found=found)
    return [row]


def all_up(found, count):
    if found.get("calls_up", 0) < count or found.get("flows", 0) < 2 * count:
        raise Failed(f"{found.get('calls_up')} of {count} calls were up, with {found.get('flows')} flows of sound")


def recordings(folder):
    """Sizes of all WAV files below a folder."""
    files = (os.path.join(path, name) for path, _, names in os.walk(folder) for name in names if name.endswith(".wav"))
    return [os.path.getsize(file) for file in files]


def setup(options):
    through = Row("authorised INVITE in → INVITE out at 30 calls/s, p50 / p99", [0.8, 2.0], "ms")
    whole = Row("first INVITE → 200 at the caller, p50 / p99", [2.0, 4.0], "ms")
    with Server(options).wait_ready() as server:
        for _ in range(options.runs):
            found = sipload(options, server, "calls", "--rate", 30, "--secs", options.span(12), *CUSTOMERS)
            through.add(*ms(found, "invite_in_to_out_us", "p50", "p99"), found=found)
            whole.add(*ms(found, "total_us", "p50", "p99"), found=found)
            time.sleep(1)
    return [through, whole]


def dial(options):
    order = Row("click-to-call: order → INVITE at the agent, p50 / p99 at 20/s", [2.0, 5.0], "ms")
    second = Row("agent's 200 → INVITE at the customer, p50 / p99", [], "ms")
    answer = Row("agent's 180 → answer to the order over HTTP, p50 / p99", [], "ms")
    cpu = Row("CPU a click-to-call, two legs bridged, one listener", [3.0], "ms")
    with Server(options).wait_ready() as server:
        for _ in range(options.runs):
            found = clickload(options, server, "dial", "--rate", 20, "--secs", options.span(12))
            order.add(*ms(found, "order_to_invite_us", "p50", "p99"), found=found)
            second.add(*ms(found, "agent_200_to_customer_invite_us", "p50", "p99"))
            answer.add(*ms(found, "agent_180_to_http_answer_us", "p50", "p99"))
            cpu.add(found["server_cpu_ms_per_op"], found=found)
            time.sleep(1)
    return [order, cpu, second, answer]


def events(options):
    bye = Row("BYE on the wire → event at a client, p50 / p99", [5.0, 20.0], "ms")
    every = Row("any SIP message → its event at a client, p99", [20.0], "ms")
    with Server(options).wait_ready() as server:
        for _ in range(options.runs):
            found = clickload(options, server, "events", "--rate", 20, "--secs", options.span(12))
            bye.add(*ms(found, "bye_to_hangup_event_us", "p50", "p99"), found=found)
            every.add(*ms(found, "sip_to_event_us", "p99"), found=found)
            time.sleep(1)
    return [bye, every]


def start(options):
    first = Row("start → first SIP answer, 1 100 users stored", [300.0], "ms", "{:.0f}")
    idle = Row("idle memory with 1 100 users", [40.0], "MB", "{:.1f}")
    folder = tempfile.mkdtemp(prefix="tongdai-bench-")
    try:
        with Server(options, folder=folder).wait_ready():
            pass
        for _ in range(options.runs):
            with Server(options, folder=folder) as server:
                answered = first_answer(server)
                server.wait_ready()
                time.sleep(3)
                first.add(answered * 1000)
                idle.add(server.memory_kb() / 1000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [idle, first]


def first_answer(server):
    """Seconds from the start to the first answer to an OPTIONS sent every 5 ms."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(0.005)
        own = "127.0.0.1:%d" % probe.getsockname()[1]
        for attempt in range(4000):
            request = (f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKo{attempt};rport\r\n"
                       f"Max-Forwards: 70\r\nFrom: <sip:1000@127.0.0.1>;tag=o\r\nTo: <sip:127.0.0.1>\r\n"
                       f"Call-ID: o{attempt}@bench\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
            with contextlib.suppress(OSError):  # nothing listens there yet
                probe.sendto(request.encode(), SIP)
                if probe.recv(65536).startswith(b"SIP/2.0 "):
                    return time.monotonic() - server.started
            server.check()
            if time.monotonic() - server.started > 20:
                break
            time.sleep(0.001)
    raise Failed("no answer to OPTIONS within 20 s")


def storm(options):
    calls_for, registers_for, rest = (4, 3, 10) if options.quick else (30, 10, 120)
    with Server(options).wait_ready() as server:
        time.sleep(3)
        idle = server.memory_kb()
        found = sipload(options, server, "calls", "--rate", 0, "--window", 8, "--secs", calls_for, "--warmup", 0, *CUSTOMERS)
        registered = sipload(options, server, "register", "--rate", 0, "--window", 20, "--secs", registers_for, "--warmup", 0)
        peak = server.memory_kb()
        time.sleep(rest)
        server.check()
        row = Row(f"memory above idle, {rest} s after {found['done']} calls and {registered['done']} registrations", [50.0], "MB", "{:.1f}")
        row.add((server.memory_kb() - idle) / 1000, found=found)
        row.note(registered)
        say(f"  idle {idle / 1000:.1f} MB, after the storm {peak / 1000:.1f} MB")
    return [row]


FIGURES = {f.__name__: f for f in (calls, register, media, recorded, setup, dial, events, start, storm)}


# --- the run


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    with open("/proc/cpuinfo") as text:
        model = next((line.split(":", 1)[1].strip() for line in text if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    day = datetime.date.today().isoformat()
    return (f"{day}, {model}, {os.cpu_count()} CPUs, {memory:.0f} GB, Linux {platform.release()}, "
            f"load before the run {load:.1f}")


def version(options):
    done = subprocess.run([options.server, "--version"], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    return done.stdout.strip() or "tongdai"


def build():
    for arguments in (["--bin", "tongdai", "--manifest-path", os.path.join(ROOT, "Cargo.toml")],
                      ["--manifest-path", os.path.join(HERE, "sipload", "Cargo.toml")],
                      ["--manifest-path", os.path.join(HERE, "clickload", "Cargo.toml")]):
        subprocess.run(["cargo", "build", "--release", "--locked", *arguments], check=True, stdin=subprocess.DEVNULL)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR")
    release = lambda folder: os.path.join(target or os.path.join(folder, "target"), "release")
    parser.add_argument("--server", default=os.path.join(release(ROOT), "tongdai"))
    parser.add_argument("--sipload", default=os.path.join(release(os.path.join(HERE, "sipload")), "sipload"))
    parser.add_argument("--clickload", default=os.path.join(release(os.path.join(HERE, "clickload")), "clickload"))
    parser.add_argument("--runs", type=int, help="runs of each figure; the median counts (default 3, quick 1)")
    parser.add_argument("--only", default="", help="figures, with commas")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    parser.add_argument("--out", help="append every run's JSON object to this file")
    options = parser.parse_args()
    options.runs = max(1, options.runs or (1 if options.quick else 3))
    options.span = lambda seconds: 5 if options.quick else seconds
    options.names = [name for name in options.only.split(",") if name] or list(FIGURES)
    unknown = [name for name in options.names if name not in FIGURES]
    if unknown:
        parser.error(f"no such figure: {', '.join(unknown)} (there are {', '.join(FIGURES)})")
    if options.write and (options.quick or options.only):
        parser.error("--write needs every figure, not --quick or --only")
    return options


def main():
    options = read_options()
    if options.build:
        build()
    for program in (options.server, options.sipload, options.clickload):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: ./run.py --build, or give its place")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("two CPUs are needed: one for the server, one for the generators")
    check_ports()
    # Ended from outside, we still end what we started.
    for ending in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(ending, lambda *_: sys.exit("ended before it was done"))
    signal.alarm(60 * (4 if options.quick else 25))
    # We only wait, and never on the server's core.
    os.sched_setaffinity(0, {1})
    where, began = machine(), time.monotonic()
    if os.getloadavg()[0] > 0.5:
        say("warning: this machine is busy; wait until it is quiet before you trust a figure")

    rows, failures = [], []
    for name in options.names:
        say(f"{name} …")
        try:
            found = FIGURES[name](options)
            rows += found
            for row in found:
                say(f"  {row.line()}")
        except Failed as why:
            failures.append(f"{name}: {why}")
            say(f"  failed: {why}")

    took = (time.monotonic() - began) / 60
    table = ["| figure | goal | measured | met |", "| --- | --- | --- | --- |", *(row.line() for row in rows)]
    command = f"`bench/run.py{' --quick' if options.quick else ''}`"
    table = "\n".join([*table, "", f"{command}, {version(options)}, median of {options.runs}, {took:.0f} minutes: {where}.",
                       *(f"Not measured: {failure}." for failure in failures)])
    print(table)
    if options.write:
        write(table)
    sys.exit(0 if not failures and all(row.met() for row in rows) else 1)


def write(table):
    path = os.path.join(HERE, "README.md")
    with open(path) as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit(f"README.md has no markers: {BEGIN} and {END}")
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
