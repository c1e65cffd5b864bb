#!/usr/bin/env python3
"""Replay against only decompressing the same logs: CPU time, interleaved, the median of nine runs.

Logs are made out of the captured events in `events/` and of records that nobody watches. Usage: bench.py BINARY FOLDER
"""

import glob
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys

RUNS = 9
RECORDS = 40_000
A_FILE = 2_000
SHARES = [0, 1, 10]


def watched():
    """The CloudTrail records of the captured events."""
    found = []
    for path in sorted(glob.glob("events/ecs/*.json")):
        with open(path, encoding="utf-8") as file:
            detail = json.load(file)["detail"]
        if isinstance(detail, dict) and detail.get("eventSource") == "ecs.amazonaws.com":
            found.append(detail)
    return found


def filler(number):
    """A record of a read call, in the size and shape that fill real trails."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::111122223333:assumed-role/app-{number % 97}/i-{number:017x}",
            "accountId": "111122223333",
            "sessionContext": {"attributes": {"mfaAuthenticated": "false", "creationDate": "2026-11-03T08:00:00Z"}},
        },
        "eventTime": f"2026-11-03T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": f"10.{number % 256}.{number // 256 % 256}.7",
        "userAgent": "aws-sdk-java/2.20.1 Linux/5.10 OpenJDK_64-Bit_Server_VM/17",
        "requestParameters": {"roleArn": f"arn:aws:iam::111122223333:role/app-{number % 31}", "durationSeconds": 3600},
        "responseElements": {"credentials": {"expiration": "Nov 3, 2026, 9:00:00 AM"}},
        "requestID": f"{number:08x}-0000-4000-8000-{number * 7919 % 16**12:012x}",
        "eventID": f"{number:08x}-1111-4000-8000-{number * 104729 % 16**12:012x}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def make(folder, share):
    """Writes the logs with this share of watched records, in percent; answers their sizes."""
    os.makedirs(folder, exist_ok=True)
    templates = watched()
    raw = 0
    for start in range(0, RECORDS, A_FILE):
        records = []
        for number in range(start, start + A_FILE):
            if number % 100 < share:
                record = dict(templates[number % len(templates)])
                record["eventID"] = f"watched-{number}"
            else:
                record = filler(number)
            records.append(record)
        text = json.dumps({"Records": records}, separators=(",", ":")).encode()
        raw += len(text)
        with gzip.open(f"{folder}/{start:06}.json.gz", "wb", compresslevel=6) as file:
            file.write(text)
    return raw


def cpu(command):
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    binary, target = sys.argv[1:3]
    print("watched  raw MB  replay s  gzip -dc s  speed against gzip (median, min to max)")
    for share in SHARES:
        folder = f"{target}/bench/{share}"
        raw = make(folder, share)
        files = sorted(glob.glob(f"{folder}/*.gz"))
        pairs = []
        for run in range(RUNS + 1):
            ours = cpu([binary, "replay", "-q", "-j", "1", folder])
            theirs = cpu(["gzip", "-dc", *files])
            if run:
                pairs.append((ours, theirs))
        ratios = [theirs / ours for ours, theirs in pairs]
        print(
            f"{share:6}%  {raw / 1e6:6.1f}  {statistics.median(p[0] for p in pairs):8.3f}"
            f"  {statistics.median(p[1] for p in pairs):10.3f}"
            f"  {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
