"""Makes CloudTrail logs: records that nobody watches, and among them those of the captured events, under many names.

Everything is drawn from a seed, so that two runs make the same bytes. Nothing here is measured.
"""

import glob
import json
import multiprocessing
import os
import random
import re
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
EVENTS = os.path.join(HERE, "..", "..", "events", "*", "*.json")
# Every name of a cluster, service or family gets so many numbers behind it.
COPIES = 250
START = 1793520000  # 2026-11-01, in seconds
DAYS = 30
SLOT = re.compile(r"@(\w+)@")

# Text to cut pieces from: what is drawn there is as hard to compress as the real thing.
DRAWN = random.Random(20261101)
LETTERS = bytes(range(65, 91)) + bytes(range(97, 123)) + b"0123456789+/"
POOL = 1 << 20
HEX = DRAWN.randbytes(POOL // 2).hex().encode()
BASE64 = DRAWN.randbytes(POOL).translate(bytes(LETTERS[byte & 63] for byte in range(256)))
KEYS = BASE64.upper().replace(b"+", b"2").replace(b"/", b"7")


class Draw:
    """The values of one record. Those of `Caller` stay while one caller makes the same call again and again."""

    def __init__(self, seed):
        self.at = seed * 7919 % (POOL // 2)
        self.number = seed << 32
        self.time = START
        self.copy = self.revision = 0

    def cut(self, pool, length):
        self.at += length + 1
        if self.at + length > POOL:
            self.at = self.number % 997
        return pool[self.at : self.at + length]

    def uuid(self):
        digits = self.cut(HEX, 32)
        return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def id(self):
        self.number += 1
        return b"%016x-%s" % (self.number, self.cut(HEX, 16))

    def hex16(self):
        return self.cut(HEX, 16)

    def hex32(self):
        return self.cut(HEX, 32)

    def key(self):
        return self.cut(KEYS, 16)

    def token(self):
        return self.cut(BASE64, 356)

    def b64(self):
        return self.cut(BASE64, 76)

    def num19(self):
        return b"%019d" % int(self.cut(HEX, 14), 16)

    def two(self):
        return b"%d" % (10 + int(self.cut(HEX, 3), 16) % 90)

    def ip(self):
        digits = self.cut(HEX, 6)
        return b"10.%d.%d.%d" % (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))

    def copied(self):
        return b"%04d" % self.copy

    def revised(self):
        return b"%d" % self.revision

    def clock(self, before=0):
        day, second = divmod(max(START, self.time - before) - START, 86400)
        return day + 1, second // 3600, second // 60 % 60, second % 60

    def when(self):
        return b"2026-11-%02dT%02d:%02d:%02dZ" % self.clock()

    def earlier(self):
        return b"2026-11-%02dT%02d:%02d:00Z" % self.clock(1800)[:3]

    def said(self):
        day, hour, minute, second = self.clock()
        half = b"AM" if hour < 12 else b"PM"
        return b"Nov %d, 2026, %d:%02d:%02d %s" % (day, hour % 12 or 12, minute, second, half)


# Slots, and whether their value is the caller's.
SLOTS = {
    "uuid": (Draw.uuid, False), "id": (Draw.id, False), "b64": (Draw.b64, False), "token": (Draw.token, False),
    "time": (Draw.when, False), "said": (Draw.said, False), "copy": (Draw.copied, False),
    "revision": (Draw.revised, False), "hex16": (Draw.hex16, True), "hex32": (Draw.hex32, True),
    "key": (Draw.key, True), "num19": (Draw.num19, True), "two": (Draw.two, True), "ip": (Draw.ip, True),
    "earlier": (Draw.earlier, True),
}


class Template:
    """A record's text, cut where values go."""

    def __init__(self, text):
        parts = SLOT.split(text)
        self.parts = [part.encode() for part in parts]
        slots = [(index, *SLOTS[parts[index]]) for index in range(1, len(parts), 2)]
        self.caller = [(index, value) for index, value, stays in slots if stays]
        self.own = [(index, value) for index, value, stays in slots if not stays]

    def call(self, draw):
        """The next caller's values."""
        for index, value in self.caller:
            self.parts[index] = value(draw)

    def record(self, draw):
        parts = self.parts
        for index, value in self.own:
            parts[index] = value(draw)
        return b"".join(parts)


def fillers():
    """Records that nobody watches."""
    with open(os.path.join(HERE, "filler.json"), encoding="utf-8") as file:
        return [Template(json.dumps(record, separators=(",", ":"))) for record in json.load(file)]


def details():
    """The CloudTrail records of the captured events."""
    for path in sorted(glob.glob(EVENTS)):
        with open(path, encoding="utf-8") as file:
            detail = json.load(file)["detail"]
        if isinstance(detail, dict) and "eventSource" in detail and "eventID" in detail:
            yield os.path.basename(path), json.dumps(detail, separators=(",", ":"))


def watched(only=""):
    """Templates of the captured events whose files are named so, with a number behind every name of theirs."""
    whole = list(details())
    names = set()
    for _, text in whole:
        for pattern in (r'cluster/([\w-]+)', r'service/([\w-]+)/', r'service/[\w-]+/([\w-]+)', r'"family":"([\w-]+)"',
                        r'task-definition/([\w-]+)', r'"(?:serviceName|clusterName|service|cluster)":"([\w-]+)"'):
            names.update(re.findall(pattern, text))
    names.discard("default")
    named = re.compile(r'(?<=["/:])(' + "|".join(sorted(names, key=len, reverse=True)) + r')(?=["/:])')
    templates = []
    for name, text in whole:
        if not re.search(only, name):
            continue
        text = named.sub(r"\1-@copy@", text)
        text = re.sub(r"(-@copy@):\d+", r"\1:@revision@", text)
        text = re.sub(r'"revision":\d+', '"revision":@revision@', text)
        text = re.sub(r'"eventID":"[^"]*"', '"eventID":"@id@"', text)
        text = re.sub(r'"requestID":"[^"]*"', '"requestID":"@uuid@"', text)
        text = re.sub(r'"eventTime":"[^"]*"', '"eventTime":"@time@"', text)
        templates.append(Template(text))
    return templates


def make(job):
    """Writes one file; answers its path, its length without compression, and how many records are watched."""
    path, size, share, number, files, level, only, copies = job
    draw, chance = Draw(number + 1), random.Random(number)
    quiet, loud = fillers(), watched(only)
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    text = [b'{"Records":[']
    length, pending, found, count, burst = 0, len(text[0]), 0, 0, 0
    with open(path, "wb") as file:
        while length + pending < size or not count:
            # Files follow each other in time, and records of one file come nearly in order.
            through = (number + min(1.0, (length + pending) / size)) / files
            draw.time = START + int(through * (DAYS * 86400 - 120)) + chance.randrange(90)
            if chance.random() * 100 < share:
                found += 1
                draw.copy = chance.randrange(copies)
                # Every family is deployed now and then, so that its revisions count up.
                draw.revision = 1 + int(through * 40)
                record = chance.choice(loud).record(draw)
            else:
                # A caller makes some calls in a row.
                if not burst:
                    burst = chance.randrange(1, 8)
                    template = chance.choice(quiet)
                    template.call(draw)
                burst -= 1
                record = template.record(draw)
            text.append(b"," + record if count else record)
            pending += len(record) + 1
            count += 1
            if pending > 1 << 20:
                file.write(packer.compress(b"".join(text)))
                length, pending, text = length + pending, 0, []
        text.append(b"]}")
        file.write(packer.compress(b"".join(text)) + packer.flush())
    return path, length + pending + 2, found, count


def sizes(total):
    """Sizes of files from one kilobyte to two fifths of the whole, 200 MB at most, with the sum `total`."""
    large = min(200_000_000, total * 2 // 5)
    plan = [large] * (total // 1_000_000_000 or 1)
    plan += [max(1_000, total * 8 // 100 // len(plan))] * 4 * len(plan)
    small = [1_000, 10_000, 100_000, 500_000, 2_000_000]
    rest = total - sum(plan)
    while rest > 0:
        size = min(small[len(plan) % len(small)], max(rest, 1_000))
        plan.append(size)
        rest -= size
    return plan


def folder(path, plan, share, level=6, only="", copies=COPIES):
    """Fills a folder, unless it is filled; answers bytes without compression, with it, watched records and all."""
    told = os.path.join(path, "told.txt")
    with open(os.path.abspath(__file__), "rb") as file:
        wanted = json.dumps([zlib.crc32(file.read()), zlib.crc32(repr(plan).encode()), share, level, only, copies])
    if os.path.exists(told):
        with open(told, encoding="utf-8") as file:
            known, answer = file.read().split("\n")[:2]
        if known == wanted:
            return json.loads(answer)
    os.makedirs(path, exist_ok=True)
    for old in glob.glob(os.path.join(path, "*.json.gz")):
        os.remove(old)
    order = list(range(len(plan)))
    random.Random(7).shuffle(order)
    jobs = [(os.path.join(path, f"{place:05}.json.gz"), plan[index], share, place, len(plan), level, only, copies)
            for place, index in enumerate(order)]
    jobs.sort(key=lambda job: -job[1])
    with multiprocessing.Pool(os.cpu_count()) as pool:
        made = pool.map(make, jobs, chunksize=1)
    packed = sum(os.path.getsize(one[0]) for one in made)
    answer = [sum(one[1] for one in made), packed, sum(one[2] for one in made), sum(one[3] for one in made)]
    with open(told, "w", encoding="utf-8") as file:
        file.write(wanted + "\n" + json.dumps(answer))
    return answer
