#!/usr/bin/env python3
"""Measures replay, on CloudTrail logs that it makes (see bench/logs.py); bench/functions.py measures the functions. Needs
Python and cargo, nothing else.

bench.py speed    CPU time against only decompressing the same files: interleaved, the median of nine
bench.py memory   peak memory at 5 and at 20 GB of content
bench.py many     10 GB with ten thousand resources that violate something; keeps the report's ends

Prints Markdown tables. Logs and reports go to target/bench, or where CARGO_TARGET_DIR says.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")))
BENCH = os.path.join(TARGET, "bench")
sys.path.insert(0, os.path.join(HERE, "bench"))

import logs  # noqa: E402

REPLAY = os.path.join(TARGET, "release", "shipshape")
INFLATE = os.path.join(TARGET, "release", "examples", "inflate")
READ = os.path.join(TARGET, "release", "examples", "read")
CORES = os.cpu_count() or 1


def build():
    cargo = os.environ.get("CARGO", "cargo")
    for what in (["--bins"], ["--example", "inflate", "--example", "read"]):
        subprocess.run([cargo, "build", "--release", "--package", "shipshape", *what], check=True, cwd=ROOT)


class Run:
    """CPU and wall seconds and peak memory of one run of a command."""

    def __init__(self, command, out=subprocess.DEVNULL):
        start = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - start
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        if child.returncode != 0:
            sys.exit(f"exit status {child.returncode}: {' '.join(command)}")


def replay(folder, jobs, binary=REPLAY):
    return [binary, "replay", "-q", "-j", str(jobs), "--format", "json", "-o", os.devnull, folder]


def in_turn(commands, number):
    """Runs the commands, from another one on in every round."""
    order = [(index + number) % len(commands) for index in range(len(commands))]
    done = {index: Run(commands[index]) for index in order}
    return [done[index] for index in range(len(commands))]


def gzip(folder):
    names = sorted(name for name in os.listdir(folder) if name.endswith(".gz"))
    return ["gzip", "-dc", *(os.path.join(folder, name) for name in names)]


def ratio(ours, theirs, of):
    """How much of their speed ours is, run by run: the median, the least and the most."""
    ratios = [of(there) / of(our) for our, there in zip(ours, theirs)]
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})"


def median(runs, of=lambda run: run.cpu):
    return statistics.median(of(run) for run in runs)


def speed(options):
    total = options.megabytes * 1_000_000
    print("| Watched | Threads | Only inflated | Read in order | Replay | Speed of reading against inflating | of replay "
          "| Content, wall clock | Replay against `gzip -dc` |")
    print("|---|---|---|---|---|---|---|---|---|")
    for share in options.shares:
        folder = os.path.join(BENCH, f"speed-{share}")
        raw, packed, found, count = logs.folder(folder, logs.sizes(total), share)
        for jobs in sorted({1, CORES}):
            commands = [[INFLATE, "-j", str(jobs), folder], replay(folder, jobs), replay(folder, jobs, READ)]
            if jobs == 1:
                commands.append(gzip(folder))
            # Interleaved, so that whatever else the machine does meets all of them, and each in every place of a round; the
            # first round warms the cache.
            rounds = [in_turn(commands, number) for number in range(options.runs + 1)][1:]
            inflated, replayed, read, *unzipped = map(list, zip(*rounds))
            cpu, wall = (lambda run: run.cpu), (lambda run: run.wall)
            beside = ratio(replayed, unzipped[0], cpu) if unzipped else ""
            print(f"| {share} % | {jobs} | {median(inflated):.3f} s | {median(read):.3f} s | {median(replayed):.3f} s "
                  f"| {ratio(read, inflated, cpu)} | {ratio(replayed, inflated, cpu)} "
                  f"| {raw / median(replayed, wall) / 1e6:.0f} MB/s | {beside} |", flush=True)
        print(f"<!-- {share} %: {raw / 1e6:.0f} MB in {len(os.listdir(folder)) - 1} files, {raw / packed:.1f} : 1, "
              f"{found} of {count} records watched -->", flush=True)


def memory(options):
    print("| Watched | Content | Files | Peak memory, 1 thread | all threads | Wall clock, all threads |")
    print("|---|---|---|---|---|---|")
    for share in options.shares:
        for gigabytes in (5, 20):
            folder = os.path.join(BENCH, f"memory-{share}-{gigabytes}")
            plan = logs.sizes(gigabytes * 1_000_000_000)
            raw, packed, found, count = logs.folder(folder, plan, share, level=1)
            one, all_threads = Run(replay(folder, 1)), Run(replay(folder, CORES))
            print(f"| {share} % | {raw / 1e9:.1f} GB ({packed / 1e9:.1f} packed) | {len(plan)} | {one.peak:.0f} MB "
                  f"| {all_threads.peak:.0f} MB | {all_threads.wall:.0f} s |", flush=True)


def many(options):
    folder = os.path.join(BENCH, "many")
    plan = logs.sizes(options.gigabytes * 1_000_000_000)
    raw, _, found, _ = logs.folder(folder, plan, 0.15, level=1, only=r"\.fail\.", copies=1500)
    report = os.path.join(BENCH, "many.txt")
    command = [REPLAY, "replay", "-q", "-o", report, folder]
    run = Run(command)
    with open(report, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for name, part in (("head", lines[:40]), ("tail", lines[-40:])):
        with open(os.path.join(BENCH, f"many.{name}.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(part) + "\n")
    print(f"{raw / 1e9:.1f} GB, {found} watched records: {run.wall:.0f} s wall, {run.cpu:.0f} s CPU, "
          f"{run.peak:.0f} MB; {len(lines)} lines of text, of which {lines[0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "memory", "many"])
    parser.add_argument("--shares", type=float, nargs="+", help="watched records, in percent")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=500, help="content of each set that speed is measured on")
    parser.add_argument("--gigabytes", type=int, default=10, help="content of the set with many findings")
    options = parser.parse_args()
    wanted = options.shares or ([1] if options.what == "memory" else [0, 1, 10])
    options.shares = [int(share) if share == int(share) else share for share in wanted]
    build()
    {"speed": speed, "memory": memory, "many": many}[options.what](options)


if __name__ == "__main__":
    main()
