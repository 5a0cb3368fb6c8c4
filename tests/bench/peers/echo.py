"""A tool that answers the same every time, by the official Python SDK (2.x).

Usage: python echo.py PORT ANSWER.json
"""

import json
import sys

from http_server import serve
from mcp import types
from mcp.server.lowlevel import Server

with open(sys.argv[2], encoding="utf-8") as file:
    answer = json.load(file)
result = types.CallToolResult(
    content=[types.TextContent(type="text", text=answer["text"])],
    structured_content=answer["structured"],
)


async def list_tools(context, params):
    tool = types.Tool(name="run_report", input_schema={"type": "object"})
    return types.ListToolsResult(tools=[tool])


async def call_tool(context, params):
    return result


serve(Server("echo", on_list_tools=list_tools, on_call_tool=call_tool), int(sys.argv[1]))
