"""The tools of Google's MCP server (PyPI analytics-mcp) over a simulated Google.

official.py SIMULATOR < {"credential": {...}}, then one {"tool", "arguments"} a line; answers each with a
line of {"result"} or {"error"}. A tool named "examples" gives the argument examples of the descriptions.
"""

import asyncio
import json
import re
import sys

from google.analytics import admin_v1alpha, admin_v1beta, data_v1alpha, data_v1beta
from google.analytics.admin_v1alpha.services.analytics_admin_service.transports import rest as admin_alpha
from google.analytics.admin_v1beta.services.analytics_admin_service.transports import rest as admin_beta
from google.analytics.data_v1alpha.services.alpha_analytics_data.transports import rest as data_alpha
from google.analytics.data_v1beta.services.beta_analytics_data.transports import rest as data_beta
from google.oauth2.credentials import Credentials

from analytics_mcp.tools import client
from analytics_mcp.tools.admin import info
from analytics_mcp.tools.reporting import conversions, core, funnel, metadata, realtime

MODULES = (core, realtime, metadata, funnel, conversions, info)
HINTS = ("date_ranges", "dimension_filter", "metric_filter", "order_bys", "funnel_steps")


def point_clients_at(host, credentials):
    """The clients that the tools make, over REST to the simulator."""

    def maker(make_client, transport):
        return lambda: make_client(transport=transport(credentials=credentials, host=host, url_scheme="http"))

    manager = client._client_manager
    manager.create_data_api_client = maker(data_v1beta.BetaAnalyticsDataClient, data_beta.BetaAnalyticsDataRestTransport)
    manager.create_data_api_alpha_client = maker(data_v1alpha.AlphaAnalyticsDataClient, data_alpha.AlphaAnalyticsDataRestTransport)
    manager.create_admin_api_client = maker(admin_v1beta.AnalyticsAdminServiceClient, admin_beta.AnalyticsAdminServiceRestTransport)
    manager.create_admin_alpha_api_client = maker(admin_v1alpha.AnalyticsAdminServiceClient, admin_alpha.AnalyticsAdminServiceRestTransport)


def read_examples(text):
    """Every JSON value of a description, outermost ones only."""
    found, at = [], 0
    decoder = json.JSONDecoder()
    text = re.sub(r",(\s*\])", r"\1", text)
    while (start := re.search(r"[\[{]", text[at:])) is not None:
        at += start.start()
        try:
            value, used = decoder.raw_decode(text[at:])
            found.append(value)
            at += used
        except json.JSONDecodeError:
            at += 1
    return found


def examples():
    return {name: read_examples(getattr(metadata, f"get_{name}_hints")()) for name in HINTS}


def call_client(api, method, request):
    """A method of one of Google's clients; a list that comes in pages as the list."""
    answer = getattr(getattr(client, f"create_{api}_client")(), method)(request=request)
    if hasattr(answer, "pages"):
        return [type(item).to_dict(item, use_integers_for_enums=False) for item in answer]
    return type(answer).to_dict(answer, use_integers_for_enums=False)


def call(tool, arguments):
    if tool == "examples":
        return examples()
    if tool == "client":
        return call_client(**arguments)
    function = next(getattr(m, tool) for m in MODULES if hasattr(m, tool))
    return asyncio.run(function(**arguments))


def main():
    given = json.loads(sys.stdin.readline())["credential"]
    credentials = Credentials(None, refresh_token=given["refresh_token"], client_id=given["client_id"],
                              client_secret=given["client_secret"], token_uri=given["token_uri"])
    point_clients_at(sys.argv[1], credentials)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"result": call(asked["tool"], asked["arguments"])}
        except Exception as error:  # what a caller of the server would be told
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
