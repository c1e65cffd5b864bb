"""moto on a port of its own. Run by `src/emulators.rs`, in the environment that it sets."""

import os

import launch

launch.end_with_the_tests()
bound = launch.listen()
port = bound.getsockname()[1]
os.environ["MOTO_PORT"] = str(port)

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

launch.announce(bound)
server = make_server("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True, fd=bound.detach())
server.serve_forever()
