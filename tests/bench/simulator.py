"""Runs a function below Lambda's runtime API, beside an AWS that has its answers ready. One thread, one socket at a time:
while the function works, nothing else here does. Linux only: that is where a process's clock and peak are read.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time

NEXT = "/2018-06-01/runtime/invocation/next"
# No function takes that long to start or to deal with an event.
PATIENCE = 30


class Request:
    """A request of HTTP/1.1, with its body."""

    def __init__(self, head, connection):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = line.split(" ")
        pairs = (field.partition(":") for field in fields)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.length = int(self.headers.get("content-length", 0))
        self.connection = connection
        self.body = b""

    def answer(self, status, kind, body, headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.connection.sendall("\r\n".join(lines).encode() + body)


class Sockets:
    """Listens on two free ports of 127.0.0.1, and takes the requests that come on either, one by one."""

    def __init__(self, names):
        self.selector = selectors.DefaultSelector()
        self.ports = {}
        for name in names:
            listener = socket.create_server(("127.0.0.1", 0))
            self.ports[name] = listener.getsockname()[1]
            self.selector.register(listener, selectors.EVENT_READ, (name, None))

    def next(self, alive):
        """The next whole request, and the name of the port it came on; None when none came for a while, or none can come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for key, _ in self.selector.select(timeout=1):
                name, waiting = key.data
                if waiting is None:
                    connection, _ = key.fileobj.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.selector.register(connection, selectors.EVENT_READ, (name, bytearray()))
                    continue
                got = key.fileobj.recv(1 << 16)
                if not got:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
                waiting += got
                request = whole(waiting, key.fileobj)
                if request:
                    return name, request
            if not alive():
                return None
        return None

    def close(self):
        for key in list((self.selector.get_map() or {}).values()):
            key.fileobj.close()
        self.selector.close()


def whole(waiting, connection):
    """Takes a request off what has come on a connection, if all of it has. Whoever asks waits for the answer."""
    head, end, rest = bytes(waiting).partition(b"\r\n\r\n")
    if not end:
        return None
    request = Request(head, connection)
    if "transfer-encoding" in request.headers:
        sys.exit(f"{request.path} came in chunks, which tests/bench/simulator.py does not read: teach it to")
    if len(rest) < request.length:
        return None
    request.body = rest
    waiting.clear()
    return request


class Sandbox:
    """One process of a function. `calls` are the operations it has called, `sent` the bytes of their bodies."""

    def __init__(self, binary, answers, environment):
        self.sockets = Sockets(["runtime", "aws"])
        ports = self.sockets.ports
        self.name = os.path.basename(binary)
        self.answers = answers
        self.calls, self.sent = [], []
        self.log = tempfile.TemporaryFile()
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", "RUST_LOG": "info",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{ports['runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0", "_HANDLER": "bootstrap",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "of nobody",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['aws']}", **environment,
        }
        # Wall and CPU seconds until it asks for its first event are in `started`.
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [binary], env=variables, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.idle = self.until_idle("start")
            self.started = (time.perf_counter() - start, self.cpu())
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cpu(self):
        """User and system seconds of the whole process: the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def peak(self):
        """The most memory that it had, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def until_idle(self, what):
        """Answers the calls to AWS until the function asks for its next event. The request stays unanswered till then."""
        while True:
            came = self.sockets.next(lambda: self.process.poll() is None)
            if came is None:
                self.fail(f"it did not get through its {what}")
            port, request = came
            if port == "aws":
                self.call(request)
            elif request.path == NEXT:
                return request
            elif request.path.endswith("/response"):
                if json.loads(request.body) != {"batchItemFailures": []}:
                    self.fail(f"it answered {request.body.decode()}")
                request.answer("202 Accepted", "application/json", b'{"status":"OK"}')
            else:
                self.fail(f"{request.path}: {request.body.decode()}")

    def call(self, request):
        target = request.headers.get("x-amz-target")
        form = dict(pair.split("=", 1) for pair in request.body.decode().split("&")) if target is None else {}
        operation = target.rpartition(".")[2] if target else form.get("Action", request.path)
        if operation not in self.answers:
            self.fail(f"it called {operation}, for which tests/bench/functions.py has no answer")
        self.calls.append(operation)
        self.sent.append(len(request.body))
        answer = self.answers[operation]
        kind = "application/x-amz-json-1.1" if target else "text/xml"
        request.answer("200 OK", kind, answer(request.body) if callable(answer) else answer)

    def deal(self, payload):
        """Hands over an event, and waits until the function asks for the next one. Answers the CPU seconds between."""
        deadline = int((time.time() + 60) * 1000)
        headers = (
            f"Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-{time.monotonic_ns() % 10**12:012}",
            f"Lambda-Runtime-Deadline-Ms: {deadline}",
            f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:111122223333:function:{self.name}",
        )
        self.calls, self.sent = [], []
        before = self.cpu()
        self.idle.answer("200 OK", "application/json", payload, headers)
        self.idle = self.until_idle("event")
        return self.cpu() - before

    def fail(self, why):
        self.log.seek(0)
        said = self.log.read()[-2000:].decode(errors="replace")
        status = self.process.poll()
        ended = "" if status is None else f" (exit status {status})"
        sys.exit(f"{self.name}: {why}{ended}. Its last lines:\n{said}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.sockets.close()
