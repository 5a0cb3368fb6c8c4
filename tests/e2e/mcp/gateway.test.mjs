// The gateway as a program: exit codes, a busy port, bad settings, SIGTERM during a call, and
// a LibreChat-shaped run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { connect, kinds } from './clients.mjs';
import { startBackend, startGateway } from './programs.mjs';

let backend, gateway;
before(async () => {
  backend = await startBackend();
  gateway = await startGateway(backend);
});
after(async () => {
  await gateway.stop();
  await backend.stop();
});

function run(env, args = []) {
  return spawnSync(process.env.AMCP_GATEWAY, args, {
    env: { ...process.env, ADMIN_LISTEN: 'off', ANALYTICS_MCP_HOST: '127.0.0.1', ...env },
    encoding: 'utf8',
    timeout: 10_000,
  });
}

test('--help and --version end well', () => {
  assert.match(run({}, ['--help']).stdout, /ANALYTICS_MCP_PORT/);
  assert.equal(run({}, ['--version']).status, 0);
  assert.equal(run({}, ['--nonsense']).status, 2);
});

test('a second start on a busy port says so and ends with 1', () => {
  const second = run({ ANALYTICS_MCP_PORT: String(gateway.port) });
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`127.0.0.1:${gateway.port} is in use`));
});

test('malformed settings name the variable and end with 78', () => {
  const cases = [
    ['ANALYTICS_MCP_PORT', 'many'],
    ['ENABLE_AUTH', 'perhaps'],
    ['LOG_LEVEL', 'loud'],
    ['ADMIN_LISTEN', 'nowhere'],
    ['ANALYTICS_MCP_RESOURCE_URL', 'https://mcp.example.com/mcp'],
    ['GRPC_TLS_CERT', '/nonexistent.pem'],
  ];
  for (const [name, value] of cases) {
    const result = run({ ANALYTICS_MCP_PORT: '0', [name]: value });
    assert.equal(result.status, 78, `${name}: ${result.stderr}`);
    assert.match(result.stderr, new RegExp(name));
  }
});

test('auth off on an address others can reach is warned of loudly', async () => {
  const open = await startGateway(backend, { env: { ENABLE_AUTH: 'false', ANALYTICS_MCP_HOST: '0.0.0.0' } });
  assert.ok(open.log.some((l) => l.includes('"level":"warn"') && l.includes('OTHERS CAN REACH')));
  await open.stop();
});

test('SIGTERM during a call lets it end and exits with 0', async () => {
  const own = await startGateway(backend, { env: { ANALYTICS_MCP_GRACE_MS: '20000' } });
  const c = await connect(kinds[0], own.url);
  let pending;
  await new Promise((resolve) => { pending = c.call('compare_dealer_sessions', { region: 'slow' }, { onprogress: resolve }); });
  const stopped = own.stop();
  assert.match((await pending).content[0].text, /20 % above/);
  assert.equal(await stopped, 0);
  await c.client.close();
});

test('no token, secret or sealed grant reaches the log', async () => {
  const own = await startGateway(backend, { env: { LOG_LEVEL: 'DEBUG' } });
  const c = await connect(kinds[0], own.url, { token: 'good-topsecret' });
  await c.call('list_dealers', {});
  await c.close();
  await own.stop();
  assert.ok(!own.log.join('\n').includes('topsecret'));
});

test('a LibreChat-shaped run: empty capabilities, pings, calls without a token, DELETE', async () => {
  const c = await connect(kinds[0], gateway.url, { headers: { 'X-User-ID': 'u1' } });
  for (let i = 0; i < 3; i++) {
    await c.client.ping();
    const result = await c.client.request(
      { method: 'tools/call', params: { name: 'compare_dealer_sessions', arguments: { region: 'West' } } },
      (await import('@modelcontextprotocol/sdk/types.js')).CallToolResultSchema,
      { timeout: 120_000, resetTimeoutOnProgress: true });
    assert.equal(result.content.length, 1);
  }
  await c.close();
  assert.deepEqual(c.errors, []);
});
