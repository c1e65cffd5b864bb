"""What both emulators need of the tests: a port that is free for certain, and an end that comes with the test's."""

import os
import signal
import socket
import sys
import threading


def listen():
    """A socket on a port that the system chose: it is ours before anybody is told its number."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind(("127.0.0.1", 0))
    bound.listen(128)
    return bound


def announce(bound):
    """Tells the tests the port, in the one line that they read from standard output; the rest goes to the log."""
    print(bound.getsockname()[1], flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def end_with_the_tests():
    """Standard input is a pipe that the tests hold open. However they end, it closes then, and this process group
    goes with them: the emulator and each process that it started for a function."""

    def wait():
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
