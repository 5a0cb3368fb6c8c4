// What an assistant sends arrives as the request that was meant, or is refused with what to send.
//
// The official client calls the real gateway; behind it stands echo_backend, which prints every
// request that reaches it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv';
import { connect, kinds } from '../mcp/clients.mjs';
import { startGateway } from '../mcp/programs.mjs';
import { calls, defaults } from './calls.mjs';

let backend, gateway, client;

/** The services behind; `next()` waits for the next request that arrives. */
async function startEcho() {
  const child = spawn(process.env.AMCP_FAKE_BACKEND, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = (await lines.next()).value;
  return {
    address: `127.0.0.1:${port}`,
    next: async () => JSON.parse((await lines.next()).value),
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

before(async () => {
  backend = await startEcho();
  gateway = await startGateway(backend);
  client = await connect(kinds[0], gateway.url);
});
after(async () => {
  await client?.close();
  await gateway?.stop();
  await backend?.stop();
});

const words = (result) => result.content.map((part) => part.text).join('\n');

describe(`${calls.length} sloppy calls`, () => {
  for (const [what, tool, args, expected, note] of calls)
    test(`${tool}: ${what} ${JSON.stringify(args)}`, async () => {
      const result = await client.call(tool, args);
      if (expected instanceof RegExp) {
        assert.ok(result.isError, 'it was taken');
        assert.match(words(result), expected);
        return;
      }
      assert.ok(!result.isError, words(result));
      assert.deepEqual(await backend.next(), { tool, request: { ...defaults[tool], ...expected } });
      const notes = result.structuredContent.notes ?? [];
      assert.deepEqual(note === undefined ? notes : notes.slice(-1), note === undefined ? [] : [note]);
      for (const each of notes) assert.ok(words(result).includes(`Note: ${each}\n`), words(result));
    });

  test('there are at least 200, and every tool is among them', async () => {
    const { tools } = await client.client.listTools();
    assert.ok(calls.length >= 200, `${calls.length}`);
    for (const tool of tools) assert.ok(calls.some((call) => call[1] === tool.name), tool.name);
  });
});

describe('the list of tools', () => {
  const taken = new Set(['type', 'description', 'properties', 'required', 'items', 'enum', 'minimum', 'maximum',
    'minItems', 'maxItems', 'additionalProperties']);
  function walk(schema, where) {
    for (const key of Object.keys(schema)) assert.ok(taken.has(key), `${where}: ${key}`);
    assert.equal(typeof schema.type, 'string', where);
    if (schema.type === 'object') assert.ok(Object.keys(schema.properties ?? {}).length > 0, `${where} has no properties`);
    for (const [name, inner] of Object.entries(schema.properties ?? {})) walk(inner, `${where}.${name}`);
    if (schema.items) walk(schema.items, `${where}[]`);
  }

  test('every schema is valid and has no keyword that a model refuses', async () => {
    const ajv = new Ajv({ strict: true });
    for (const tool of (await client.client.listTools()).tools) {
      ajv.compile(tool.inputSchema);
      walk(tool.inputSchema, tool.name);
    }
  });

  test('it fits: 1.2 kB in the median, 30 kB for 25 tools', async () => {
    const { tools } = await client.client.listTools();
    const sizes = tools.map(({ name, description, inputSchema }) => JSON.stringify({ name, description, inputSchema }).length).sort((a, b) => a - b);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const median = (sizes[(sizes.length - 1) >> 1] + sizes[sizes.length >> 1]) / 2;
    // JSON's own names and quotes come on top of the 1.2 kB that the catalogue's test holds.
    assert.ok(median <= 1280, `median ${median}`);
    assert.ok(total <= 30_000 && tools.length <= 25, `total ${total} for ${tools.length}`);
  });

  test('ANALYTICS_MCP_TOOLSETS chooses it', async () => {
    const other = await startGateway(backend, { env: { ANALYTICS_MCP_TOOLSETS: 'benchmarks' } });
    const narrow = await connect(kinds[0], other.url);
    const names = (await narrow.client.listTools()).tools.map((tool) => tool.name);
    assert.ok(names.includes('list_dealers') && names.includes('compare_dealer_sessions'), `${names}`);
    assert.ok(!names.includes('run_report') && !names.includes('get_property_details'), `${names}`);
    await assert.rejects(() => narrow.call('run_report', { metrics: ['sessions'] }), /Unknown tool/);
    await narrow.close();
    await other.stop();
  });

  test('an unknown toolset ends the start and is named', async () => {
    const child = spawn(process.env.AMCP_GATEWAY, [], { env: { ...process.env, ANALYTICS_MCP_TOOLSETS: 'reports,report' }, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data) => (errors += data));
    const [code] = await once(child, 'close');
    assert.equal(code, 78, errors);
    assert.match(errors, /ANALYTICS_MCP_TOOLSETS: "report" is not a toolset/);
  });
});
