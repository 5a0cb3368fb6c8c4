"""The official Python client of either major version against a gateway: connects, lists, calls, reads,
prompts, completes, gets progress, cancels, and prints what it saw as one JSON object.

    client.py URL MODE      MODE: session (release 1), or auto, legacy, a version (release 2)
"""

import contextlib
import json
import sys

import anyio
from mcp import types

errors = []


async def on_message(message):
    if isinstance(message, Exception):
        errors.append(str(message))


@contextlib.asynccontextmanager
async def connect_1(url):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with streamable_http_client(url) as (read, write, _), ClientSession(read, write, message_handler=on_message) as session:
        opened = await session.initialize()
        yield session, opened.protocolVersion, opened.serverInfo.name


@contextlib.asynccontextmanager
async def connect_2(url, mode):
    from mcp.client import Client

    async with Client(url, mode=mode, message_handler=on_message) as client:
        yield client, client.protocol_version, client.server_info and client.server_info.name


async def complete(client):
    reference = types.PromptReference(type="ref/prompt", name="monthly_review")
    answer = await client.complete(reference, {"name": "dealer", "value": "Fo"})
    return answer.completion.values


async def cancel(client, release):
    """Gives up a call that hangs. Release 1 leaves it to its caller to say so."""
    request = getattr(client, "_request_id", None)
    with anyio.move_on_after(1):
        await client.call_tool("compare_dealer_sessions", {"region": "hang"})
    if release == 1:
        note = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=request, reason="enough"))
        await client.send_notification(types.ClientNotification(note))


async def total(client):
    answer = await client.call_tool("list_dealers", {"query": "cancels"})
    return plain(answer)["structuredContent"]["total"]


def plain(model):
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))


async def use(client, release, seen):
    seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
    seen["resources"] = [str(r.uri) for r in (await client.list_resources()).resources]
    seen["templates"] = len(plain(await client.list_resource_templates())["resourceTemplates"])
    seen["prompts"] = [p.name for p in (await client.list_prompts()).prompts]
    seen["call"] = plain(await client.call_tool("list_dealers", {"query": "ford"}))
    seen["error"] = plain(await client.call_tool("list_dealers", {"region": "nowhere"}))
    seen["read"] = plain(await client.read_resource("analytics://dealers"))
    seen["prompt"] = plain(await client.get_prompt("website_against_region", {"dealer": "Ford of Reno"}))
    seen["values"] = await complete(client)
    steps = seen["progress"] = []

    async def on_progress(progress, _total, _message):
        steps.append(progress)

    await client.call_tool("compare_dealer_sessions", {"region": "West"}, progress_callback=on_progress)
    before = await total(client)
    await cancel(client, release)
    with anyio.fail_after(20):
        while (cancelled := await total(client) - before) == 0:
            await anyio.sleep(0.05)
    seen["cancelled"] = cancelled


async def main(url, mode):
    seen = {}
    release = 1 if mode == "session" else 2
    connection = connect_1(url) if release == 1 else connect_2(url, mode)
    async with connection as (client, version, name):
        seen.update(version=str(version), name=name)
        await use(client, release, seen)
    print(json.dumps({**seen, "errors": errors}))


anyio.run(main, *sys.argv[1:])
