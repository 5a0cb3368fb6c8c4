// The entries of docs/LIBRECHAT.md and docs/CLIENTS.md: LibreChat's own schema takes them, and a client
// that is set up from one connects, lists the tools and is refused without the token.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { load } from 'js-yaml';
import { configSchema } from 'librechat-data-provider';
import { ROOT } from '../lib/build.mjs';
import { startSet } from '../lib/set.mjs';
import { blocksOf } from './page.mjs';
import { BIN } from './reference.mjs';

const page = (name) => blocksOf(path.join(ROOT, 'docs', name));
const LIBRECHAT = page('LIBRECHAT.md').filter(({ kind }) => kind.startsWith('yaml librechat'));
const CLIENTS = page('CLIENTS.md').filter(({ kind }) => kind.endsWith(' client'));

let set, token;
before(async () => {
  const jwt = { AUTH_JWT_HS256_SECRET: randomBytes(32).toString('hex'), AUTH_JWT_ISSUER: 'page' };
  set = await startSet({ sim: { dealers: 3, days: 30 }, env: { auth: { ...jwt, ENABLE_AUTH: 'true' }, gateway: { ENABLE_AUTH: 'true' } } });
  token = execFileSync(path.join(BIN, 'auth-svc'), ['token', 'mint', '--sub', 'page', '--role', 'admin', '--ttl', '1h'],
    { env: { ...process.env, ...jwt }, encoding: 'utf8' }).trim();
});
after(async () => set?.stop());

// As a host fills an entry in: environment, the person's fields, an input that was asked for.
const fill = (text) =>
  text.replaceAll(/\$\{(ANALYTICS_TOKEN|input:analytics-token)\}|\$ANALYTICS_TOKEN/g, token)
    .replaceAll('{{LIBRECHAT_USER_ID}}', 'u1').replaceAll('{{LIBRECHAT_USER_EMAIL}}', 'u1@example.com');
const here = (url) => new URL(new URL(url).pathname, set.url);

async function connects(url, headers = {}) {
  const client = new Client({ name: 'page', version: '1.0.0' });
  const requestInit = { headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, fill(v)])) };
  await client.connect(new StreamableHTTPClientTransport(here(url), { requestInit }));
  const { tools } = await client.listTools();
  await client.close();
  assert.ok(tools.some(({ name }) => name === 'compare_dealer_sessions'));
}

test("LibreChat's schema takes every entry of its page", () => {
  assert.equal(LIBRECHAT.length, 4);
  for (const { text, line } of LIBRECHAT) {
    const result = configSchema.safeParse({ version: '1.2.1', ...load(text) });
    assert.ok(result.success, `line ${line}: ${JSON.stringify(result.error?.issues)}`);
    const { mcpServers, mcpSettings } = load(text);
    const { hostname, host, protocol } = new URL(mcpServers.analytics.url);
    if (protocol === 'http:') assert.deepEqual(mcpSettings.allowedAddresses, [host], hostname);
  }
});

test('the entries with a token connect; those without are refused, since the set wants one', async () => {
  const entries = LIBRECHAT.map(({ kind, text }) => ({ kind, entry: load(text).mcpServers.analytics }));
  for (const { kind, entry } of entries) {
    if (kind.endsWith(' token')) await connects(entry.url, entry.headers);
    else await assert.rejects(connects(entry.url), /Missing credentials/);
  }
  assert.equal(entries.filter(({ kind }) => kind.endsWith(' token')).length, 2);
});

// { url, headers } of a block of CLIENTS.md.
function entryOf({ kind, text }) {
  if (kind === 'sh client') {
    const header = /--header "([^:]+): ([^"]+)"/.exec(text);
    return { url: /http:\S+/.exec(text)[0], headers: { [header[1]]: header[2] } };
  }
  const { servers, mcpServers } = JSON.parse(text);
  const { url, httpUrl, headers, args, env } = (servers ?? mcpServers).analytics;
  if (args === undefined) return { url: url ?? httpUrl, headers };
  const [name, value] = args[args.indexOf('--header') + 1].split(':');
  return { url: args.find((arg) => arg.startsWith('http')), headers: { [name]: value.replace(/\$\{(\w+)\}/, (_, key) => env[key]) } };
}

test('so do the entries of the other clients', async () => {
  assert.equal(CLIENTS.length, 6);
  for (const block of CLIENTS) {
    const { url, headers } = entryOf(block);
    assert.equal(url, 'http://127.0.0.1:3334/mcp');
    await connects(url, headers);
  }
});

test('the pages name settings and files that exist', () => {
  for (const name of ['LIBRECHAT.md', 'CLIENTS.md']) {
    const text = fs.readFileSync(path.join(ROOT, 'docs', name), 'utf8');
    for (const [, file] of text.matchAll(/\]\(([A-Z_]+\.md)/g)) assert.ok(fs.existsSync(path.join(ROOT, 'docs', file)), file);
    const settings = fs.readFileSync(path.join(ROOT, 'docs/SETTINGS.md'), 'utf8');
    for (const [setting] of text.matchAll(/\b(?:AUTH|ANALYTICS_MCP)_[A-Z_]+\b/g)) {
      assert.ok(settings.includes(`\`${setting}\``), setting);
    }
  }
});
