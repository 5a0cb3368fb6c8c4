// A client set up from the entry for one network of docs/LIBRECHAT.md, as LibreChat does it. Runs in a
// container beside the set (tests/images/compose.sh): what the entry names must be found by name.
// Prints a line when the tools are there and a question is answered.
import assert from 'node:assert/strict';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { load } from 'js-yaml';
import { configSchema } from 'librechat-data-provider';
import { blocksOf } from './page.mjs';

const pages = path.resolve(import.meta.dirname, '../../../docs');
const entries = blocksOf(path.join(pages, 'LIBRECHAT.md')).filter(({ kind }) => kind.startsWith('yaml librechat'))
  .map(({ text }) => configSchema.parse({ version: '1.2.1', ...load(text) }).mcpServers.analytics)
  .filter(({ url }) => new URL(url).hostname === 'analytics-mcp');
assert.equal(entries.length, 1, 'one entry of the page is for one network');
const { url, headers, timeout, type } = entries[0];
assert.equal(type, 'streamable-http');

const person = { '${ANALYTICS_TOKEN}': 'none', '{{LIBRECHAT_USER_ID}}': 'u1', '{{LIBRECHAT_USER_EMAIL}}': 'u1@example.com' };
const fill = (text) => Object.entries(person).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
const client = new Client({ name: '@librechat/api-client', version: '1.2.3' }, { capabilities: {} });
await client.connect(new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])) },
}));
assert.ok(client.getInstructions().length > 100, 'instructions for the model');
const { tools } = await client.listTools();
assert.ok(tools.some(({ name }) => name === 'compare_dealer_sessions'));
const ask = async (name, args) => {
  const result = await client.callTool({ name, arguments: args }, undefined, { timeout });
  assert.ok(!result.isError, JSON.stringify(result.content).slice(0, 500));
  return result;
};
await ask('list_dealers', { limit: 3 });
const answer = await ask('benchmark_dealer', { subject: 'd01' });
await client.close();
console.log(`${tools.length} tools; ${answer.content[0].text.split('\n')[0].slice(0, 200)}`);
