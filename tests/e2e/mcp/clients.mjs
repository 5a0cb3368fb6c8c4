// The official clients behind one shape, so that every test runs with each of them.
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';

const info = { name: 'analytics-mcp-e2e', version: '1.0.0' };

function v2(mode) {
  return {
    name: `v2 ${mode}`,
    make: () => new ClientV2(info, { versionNegotiation: { mode } }),
    Transport: TransportV2,
    call: (client, params, options) => client.callTool(params, options),
  };
}

export const kinds = [
  {
    name: 'v1',
    make: () => new ClientV1(info, { capabilities: {} }),
    Transport: TransportV1,
    call: (client, params, options) => client.callTool(params, CallToolResultSchema, options),
  },
  v2('legacy'),
  v2('auto'),
];

/** A connected client. `errors` collects every onerror of client and transport. */
export async function connect(kind, url, { token = 'good-alice', headers = {} } = {}) {
  const errors = [];
  const client = kind.make();
  client.onerror = (error) => errors.push(error);
  const requestInit = { headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers } };
  const transport = new kind.Transport(new URL(url), { requestInit });
  await client.connect(transport);
  return {
    client,
    transport,
    errors,
    call: (name, args, options) => kind.call(client, { name, arguments: args }, options),
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  };
}
