"""Google's own server (analytics-mcp) over streamable HTTP, in front of the simulator.

Its client library speaks REST to the simulator, and one client is kept for all calls, where the
server makes a new one for each: that favours it.

Usage: python google_server.py PORT SIMULATOR_URL DEALERS.json
"""

import json
import sys

from google.analytics import data_v1beta
from google.analytics.data_v1beta.services.beta_analytics_data.transports.rest import (
    BetaAnalyticsDataRestTransport,
)
from google.oauth2.credentials import Credentials
from http_server import serve

from analytics_mcp import coordinator
from analytics_mcp.tools.reporting import core

port, url, dealers = sys.argv[1:]
with open(dealers, encoding="utf-8") as file:
    oauth = json.load(file)["dealers"][0]["oauth"]
transport = BetaAnalyticsDataRestTransport(
    host=url, url_scheme="http", credentials=Credentials(None, **oauth)
)
client = data_v1beta.BetaAnalyticsDataClient(transport=transport)
core.create_data_api_client = lambda: client
serve(coordinator.create_server(), int(port))
