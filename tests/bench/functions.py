#!/usr/bin/env python3
"""Measures the functions as they ship, each a process below a simulator of Lambda (simulator.py): starting, events that
comply, fixes, memory, size. Needs Linux, Python and cargo; nothing is called but 127.0.0.1.

`empty` does nothing with its events, `bare` only makes the calls of a fix (tests/bench/src/bin). Whatever is compared runs
in turn, so that what else the machine does meets all of them; CPU time is the function's own. Prints Markdown tables.
"""

import argparse
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import zipfile
from operator import truediv

from simulator import Sandbox

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RELEASE = os.path.join(os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))), "release")
EMPTY, BARE = "empty", "bare"

# An event that complies by what it shows itself.
COMPLIES = {
    "cluster": "ecs-exec-logging-encrypted.pass.key",
    "service": "ecs-run-task-no-public-ip.pass.disabled",
    "task-definition": "ecs-container-not-privileged.pass.explicit-false",
}
# An event that is fixed: its file, what README.md calls the fix among those whose calls it lists, and the write.
FIXED = {
    "cluster": ("ecs-cluster-container-insights.fail.switched-off", "Container Insights", "UpdateClusterSettings"),
    "service": ("ecs-exec-not-enabled.fail.switched-on", None, "UpdateService"),
    "task-definition": ("ecs-container-not-privileged.fail.sidecar", "Mended revision", "RegisterTaskDefinition"),
}
# The ledger's calls, as README.md names them.
LEDGER = {
    "lease": "UpdateItem", "budget": "GetItem",
    "claim": "TransactWriteItems", "settle": "TransactWriteItems", "release": "TransactWriteItems",
}
POLICY = """version = 1
mode = "fix"
disruptive = true
iac = "fix"
[controls.ecs-container-logging]
enabled = false
[controls.ecs-exec-not-enabled]
enabled = true
"""


def build():
    """Each by itself: what is built with others can get features from them."""
    cargo = os.environ.get("CARGO", "cargo")
    for folder in [*(f"functions/{name}" for name in COMPLIES), "tests/bench"]:
        manifest = os.path.join(folder, "Cargo.toml")
        subprocess.run([cargo, "build", "--release", "--locked", "--manifest-path", manifest], check=True, cwd=ROOT)


def listed(fix):
    """The calls of a fix, in order, as README.md lists them."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        rows = [line.split("|") for line in file if line.startswith(f"| {fix} |") and "·" in line]
    if len(rows) != 1:
        sys.exit(f"README.md lists the calls of “{fix}” {len(rows)} times: mend the table there, or FIXED in "
                 "tests/bench/functions.py")
    names = [name.strip(" *") for name in rows[0][2].split("·")]
    return [LEDGER.get(name, name) for name in names]


def captured(name):
    with open(os.path.join(ROOT, "events", "ecs", f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def batch(event):
    """What the queue hands over: one message, delivered for the first time."""
    record = {
        "messageId": "message-0", "receiptHandle": "receipt-0", "body": json.dumps(event), "md5OfBody": "",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1793606531000"}, "messageAttributes": {},
        "eventSource": "aws:sqs", "awsRegion": event["region"],
        "eventSourceARN": f"arn:aws:sqs:{event['region']}:{event['account']}:queue",
    }
    return json.dumps({"Records": [record]}).encode()


def undated(value):
    """A document as ECS describes it; the dates, which CloudTrail tells as text, are left out."""
    if isinstance(value, dict):
        return {key: undated(of) for key, of in value.items() if not re.fullmatch(r"\w+(At|Date)", key)}
    return [undated(one) for one in value] if isinstance(value, list) else value


def answers(event):
    """What AWS says, as long as nobody changes anything: the resource is what the event shows. Nothing is remembered, so
    that the same event can be fixed again and again."""
    shown = undated(event["detail"]["responseElements"])
    # A service runs a revision that complies.
    runs = {"taskDefinitionArn": shown.get("service", {}).get("taskDefinition")}
    another = captured(COMPLIES["task-definition"])["detail"]["responseElements"]["taskDefinition"]
    revision = shown.get("taskDefinition", {**undated(another), **runs})
    parameters = {"/shipshape/switch": "run", "/shipshape/policy": POLICY}
    parameters = [{"Name": name, "Value": value, "Type": "String"} for name, value in parameters.items()]

    def registered(body):
        asked = json.loads(body)
        arn = re.sub(r"\d+$", lambda number: str(int(number[0]) + 1), revision["taskDefinitionArn"])
        return json.dumps({"taskDefinition": {**revision, **asked, "taskDefinitionArn": arn}}).encode()

    said = {
        "GetParameters": {"Parameters": parameters, "InvalidParameters": []},
        "DescribeClusters": {"clusters": [shown.get("cluster")], "failures": []},
        "DescribeServices": {"services": [shown.get("service")], "failures": []},
        "DescribeTaskDefinition": {"taskDefinition": revision, "tags": []},
        "ListTaskDefinitions": {"taskDefinitionArns": []},
        "UpdateClusterSettings": {"cluster": shown.get("cluster")},
        "UpdateService": {"service": shown.get("service")},
        "TagResource": {},
        "UpdateItem": {"Attributes": {"fence": {"N": "1"}}},
        "GetItem": {},
        "TransactWriteItems": {},
    }
    return {
        **{name: json.dumps(answer).encode() for name, answer in said.items()},
        "RegisterTaskDefinition": registered,
        "Publish": b"<PublishResponse><PublishResult><MessageId>0</MessageId></PublishResult></PublishResponse>",
    }


def sandbox(name, event, calls=()):
    """A function, as the template configures it."""
    here = f"{event['region']}:{event['account']}"
    return Sandbox(os.path.join(RELEASE, name), answers(event), {
        "AWS_REGION": event["region"], "AWS_DEFAULT_REGION": event["region"],
        "SHIPSHAPE_TABLE": "ledger", "SHIPSHAPE_TOPIC": f"arn:aws:sns:{here}:shipshape", "SHIPSHAPE_DRY_RUN": "false",
        "SHIPSHAPE_PASSABLE_ROLES": "*", "BENCH_CALLS": ",".join(calls),
    })


def deal(function, payload, expected):
    """CPU seconds of one event. It has to make the calls that it should: else a failure would be measured."""
    cpu = function.deal(payload)
    if not expected(function.calls):
        function.fail(f"the calls are not those of README.md's “On AWS”: {' · '.join(function.calls)}; "
                      "mend the list there, or the answers in tests/bench/functions.py")
    return cpu


def in_turn(names, rounds):
    """The names in another order each round; the rounds before the first are not to be counted."""
    for number in range(-2, rounds):
        yield number >= 0, [names[(index + number) % len(names)] for index in range(len(names))]


class Figures:
    """Figures by name, one a round."""

    def __init__(self, names):
        self.by_name = {name: [] for name in names}

    def median(self, name):
        return statistics.median(self.by_name[name])

    def time(self, name):
        return f"{self.median(name) * 1e3:#.3g} ms"

    def beside(self, name, base):
        """The time, and how many times another's it is, by rounds: the median, and between which the middle half is."""
        if name == base:
            return self.time(name)
        low, middle, high = statistics.quantiles(map(truediv, self.by_name[name], self.by_name[base]), n=4)
        return f"{self.time(name)}, **{middle:.2f}** ({low:.2f}–{high:.2f})"


def starts(events, expected, rounds, calls=()):
    """Seconds that the start and the first event take, each in a new process."""
    figures = {what: Figures(events) for what in ("start, wall", "start", "first")}
    for counts, names in in_turn(list(events), rounds):
        for name in names:
            with sandbox(name, events[name], calls) as function:
                measured = (*function.started, deal(function, batch(events[name]), expected[name]))
            if counts:
                for figure, value in zip(figures.values(), measured):
                    figure.by_name[name].append(value)
    return figures


def repeated(events, expected, rounds, number, calls=()):
    """CPU seconds an event, in processes that live on; the peaks of their memory after all of them, and the bytes that one
    event has them send."""
    figures = Figures(events)
    functions = {}
    try:
        for name, event in events.items():
            functions[name] = sandbox(name, event, calls)
            functions[name].deal(batch(event))
        for counts, names in in_turn(list(events), rounds):
            for name in names:
                payload = batch(events[name])
                spent = sum(deal(functions[name], payload, expected[name]) for _ in range(number))
                if counts:
                    figures.by_name[name].append(spent / number)
        peaks = {name: function.peak() for name, function in functions.items()}
        return figures, peaks, {name: sum(function.sent) for name, function in functions.items()}
    finally:
        for function in functions.values():
            function.close()


def zipped(name):
    """The bytes of a binary, and of the archive that Lambda is given."""
    with open(os.path.join(RELEASE, name), "rb") as file:
        binary = file.read()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("bootstrap", binary)
    return len(binary), len(archive.getvalue())


def complying(options):
    """Starts, events that comply, and sizes."""
    events = {name: captured(path) for name, path in COMPLIES.items()}
    events = {EMPTY: events["cluster"], **events}
    # Which opt-in controls are on is asked once, and then known for some minutes.
    asks_once = dict.fromkeys(events, lambda calls: set(calls) <= {"GetParameters"})
    asks_nothing = dict.fromkeys(events, lambda calls: calls == [])
    begun = starts(events, asks_once, options.starts)
    calm, peaks, _ = repeated(events, asks_nothing, options.rounds, options.events)
    print(f"{options.starts} starts, {options.rounds} × {options.events} events that comply; bold: × `{EMPTY}`\n")
    print("| | Start, CPU time | Start, wall clock | First event, CPU time | Each after it, CPU time | Peak memory | Binary "
          "| Zipped |")
    print("|---|---|---|---|---|---|---|---|")
    for name in events:
        times = (begun["start"], begun["start, wall"], begun["first"], calm)
        sizes = (peaks[name], *zipped(name))
        cells = [*(of.beside(name, EMPTY) for of in times), *map(megabytes, sizes)]
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


def fixing(options):
    """Fixes, and one of them beside its calls alone."""
    events = {name: captured(path) for name, (path, _, _) in FIXED.items()}
    calls = {name: listed(fix) for name, (_, fix, _) in FIXED.items() if fix}
    expected = {name: (lambda made, write=write: write in made) for name, (_, _, write) in FIXED.items()}
    expected |= {name: (lambda made, all_of=all_of: made == all_of) for name, all_of in calls.items()}
    events = {BARE: events["cluster"], **events}
    expected[BARE] = expected["cluster"]
    first = starts(events, expected, options.rounds, calls["cluster"])["first"]
    after, peaks, sent = repeated(events, expected, options.rounds, options.fixes, calls["cluster"])
    print(f"\n{options.rounds} × {options.fixes} fixes; bold: × `{BARE}`, which makes the {len(calls['cluster'])} calls of "
          f"the cluster's: {' · '.join(calls['cluster'])}\n")
    print("| | First fix, CPU time | Each after it, CPU time | Bytes sent | Peak memory |")
    print("|---|---|---|---|---|")
    for name in events:
        times = (of.beside(name, BARE) if name == "cluster" else of.time(name) for of in (first, after))
        print(f"| `{name}` | {' | '.join(times)} | {sent[name]} | {megabytes(peaks[name])} |")


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=40, help="rounds of new processes")
    parser.add_argument("--rounds", type=int, default=25, help="rounds of processes that live on")
    parser.add_argument("--events", type=int, default=100, help="events that comply, a round")
    parser.add_argument("--fixes", type=int, default=20, help="fixes, a round")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("this reads clocks and peaks of processes as Linux has them: run it there, or in a container")
    # Whoever ends this ends the functions too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    build()
    complying(options)
    fixing(options)


if __name__ == "__main__":
    main()
