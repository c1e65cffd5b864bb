"""MiniStack on a port of its own. Run by `src/emulators.rs`, in the environment that it sets."""

import asyncio
import os

import launch

launch.end_with_the_tests()
bound = launch.listen()
# Queue URLs are made from it, and the folders that functions are unpacked into. MiniStack's modules read it once.
os.environ["GATEWAY_PORT"] = str(bound.getsockname()[1])

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.services import eventbridge

# A client may not speak for AWS, here as there. The tests speak for it: they put what CloudTrail and ECS would have
# put, so that the rules of the template see the sources that they ask for.
eventbridge._put_events.__defaults__ = (True,)

launch.announce(bound)
config = Config()
config.bind = [f"fd://{bound.detach()}"]
config.keep_alive_timeout = 600
asyncio.run(serve(app, config))
