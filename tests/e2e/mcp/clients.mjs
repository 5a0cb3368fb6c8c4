// The official clients behind one shape, so that every test runs with each of them.
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';

const info = { name: 'analytics-mcp-e2e', version: '1.0.0' };

// modern: speaks 2026-07-28, in which there are neither sessions nor pings.
function v2(mode, modern) {
  return {
    name: `v2 ${mode.pin ?? mode}`,
    modern,
    make: (options) => new ClientV2(info, { versionNegotiation: { mode }, ...options }),
    Transport: TransportV2,
    call: (client, params, options) => client.callTool(params, options),
  };
}

export const kinds = [
  {
    name: 'v1',
    modern: false,
    make: (options) => new ClientV1(info, { capabilities: {}, ...options }),
    Transport: TransportV1,
    call: (client, params, options) => client.callTool(params, CallToolResultSchema, options),
  },
  v2('legacy', false),
  v2('auto', true),
  v2({ pin: '2026-07-28' }, true),
];

/** A connected client. `errors` collects every onerror of client and transport, but that of the
 * client's own stream that its close() cuts. */
export async function connect(kind, url, { token = 'good-alice', headers = {}, options } = {}) {
  const errors = [];
  const client = kind.make(options);
  let closing = false;
  client.onerror = (error) => closing && /AbortError/.test(String(error)) || errors.push(error);
  const requestInit = { headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers } };
  const transport = new kind.Transport(new URL(url), { requestInit });
  await client.connect(transport);
  return {
    client,
    transport,
    errors,
    call: (name, args, options) => kind.call(client, { name, arguments: args }, options),
    async close() {
      closing = true;
      if (!kind.modern) await transport.terminateSession();
      await client.close();
    },
  };
}
