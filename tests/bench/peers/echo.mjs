// A tool that answers the same every time, by the official TypeScript SDK.
// Usage: node echo.mjs PORT ANSWER.json, in a folder with node_modules.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const { Server } = require('@modelcontextprotocol/sdk/server/index.js');
const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js');
const { CallToolRequestSchema } = require('@modelcontextprotocol/sdk/types.js');

const [port, file] = process.argv.slice(2);
const { text, structured } = JSON.parse(readFileSync(file, 'utf8'));
const answer = { content: [{ type: 'text', text }], structuredContent: structured };
const transports = new Map();

async function open() {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: true,
    onsessioninitialized: (id) => transports.set(id, transport),
  });
  const server = new Server({ name: 'echo', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(CallToolRequestSchema, async () => answer);
  await server.connect(transport);
  return transport;
}

createServer(async (request, response) => {
  const transport = transports.get(request.headers['mcp-session-id']) ?? (await open());
  await transport.handleRequest(request, response);
}).listen(Number(port), '127.0.0.1');
