"""Callers of the official Python SDK: caller.py URL < {"tokens", "questions", "pause_ms"}

One session a token. They call until standard input ends; then one line of JSON says how many calls
were made and lost and how many sessions ended before their time.
"""

import asyncio
import contextlib
import json
import logging
import sys
from datetime import datetime, timezone

import mcp.client.streamable_http as streamable_http
from mcp import ClientSession

KEPT = 5
total = {"calls": 0, "lost": 0, "sessionErrors": 0, "errors": []}
stopping = asyncio.Event()


def note(error):
    if len(total["errors"]) < KEPT:
        total["errors"].append(f"{datetime.now(timezone.utc).isoformat()} {error!r}"[:600])


class Heard(logging.Handler):
    """What the SDK only writes into its log: a post that failed, an event that could not be read."""

    def emit(self, record):
        total["sessionErrors"] += 1
        note(record.getMessage())


def open_transport(url, token):
    """The streams of a session, in both generations of the SDK."""
    headers = {"Authorization": f"Bearer {token}"}
    if hasattr(streamable_http, "streamable_http_client"):
        with contextlib.suppress(ImportError):
            from mcp.shared._httpx_utils import create_mcp_http_client

            client = create_mcp_http_client(headers=headers)
            return streamable_http.streamable_http_client(url, http_client=client)
    return streamable_http.streamablehttp_client(url, headers=headers)


async def ask(session, question):
    total["calls"] += 1
    try:
        result = await session.call_tool(question["name"], question["arguments"])
        dump = result.model_dump(by_alias=True)
        if dump.get("isError") or dump.get("structuredContent") is None:
            raise RuntimeError(f"{question['name']}: {dump}")
    except Exception as error:  # whatever it is, the call is lost
        total["lost"] += 1
        note(error)


async def caller(url, token, questions, first, pause_s):
    async with open_transport(url, token) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        n = first
        while not stopping.is_set():
            await ask(session, questions[n % len(questions)])
            await asyncio.sleep(pause_s)
            n += 1


async def guarded(*arguments):
    try:
        await caller(*arguments)
    except BaseException as error:
        total["sessionErrors"] += 1
        note(error)


async def main():
    wanted = json.loads(sys.stdin.readline())
    logging.getLogger("mcp").addHandler(heard := Heard(logging.ERROR))
    heard.setLevel(logging.ERROR)
    pause_s = wanted["pause_ms"] / 1000
    callers = [
        asyncio.create_task(guarded(sys.argv[1], token, wanted["questions"], i, pause_s))
        for i, token in enumerate(wanted["tokens"])
    ]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    stopping.set()
    await asyncio.gather(*callers)
    print(json.dumps(total))


asyncio.run(main())
