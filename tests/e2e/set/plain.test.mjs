// Answers of tools outside of tools/call: as plain JSON (the curl line of the documentation, the same
// figures and limits as through MCP), and as resources.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Mcp } from './mcp.mjs';
import { accountToken, authSettings, secret } from './tokens.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, dealers, base;
const entry = (id) => dealers.find((d) => d.dealer_id === id);
const bare = (id) => accountToken({ account_id: entry(id).account_id });

before(async () => {
  const { gateway, auth } = authSettings(secret());
  s = await startOverWorld({ env: { gateway, auth: { ...auth, AUTH_ALLOW_UNSIGNED_TOKENS: 'true' } } });
  ({ dealers } = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')));
  base = `${s.set.url}/tools`;
});
after(() => s?.stop());

const shell = (line) =>
  new Promise((resolve) => execFile('/bin/sh', ['-c', line], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr })));

async function get(tool, args, token) {
  const response = await fetch(`${base}/${tool}?${new URLSearchParams(args)}`, { headers: { Authorization: `Bearer ${token}` } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function post(tool, args, token) {
  const response = await fetch(`${base}/${tool}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(args),
  });
  return { status: response.status, body: await response.json() };
}

async function throughMcp(tool, args, token) {
  const client = await Mcp.connect(s.set.url, { token });
  return (await client.call(tool, args)).result;
}

test('the curl line of the documentation answers for its dealer alone', async () => {
  const page = fs.readFileSync(fileURLToPath(new URL('../../../docs/internals/gateway.md', import.meta.url)), 'utf8');
  const line = page.match(/^curl -H "Authorization: Bearer .*base64 -w0.*\n.*get_account_summaries$/m)?.[0];
  assert.ok(line, 'the page has no curl line');
  for (const id of ['d01', 'd03']) {
    const own = line.replace('dealer_001', entry(id).account_id).replace('http://localhost:3334/mcp', s.set.url);
    const { code, stdout, stderr } = await shell(own.replace('curl ', 'curl -fsS '));
    assert.equal(code, 0, stderr);
    const { columns, rows } = JSON.parse(stdout);
    assert.ok(rows.length > 0, stdout);
    for (const row of rows) assert.equal(row[columns.indexOf('dealer_id')], id);
    for (const other of dealers.filter((d) => d.dealer_id !== id)) assert.ok(!stdout.includes(`"${other.name}"`), other.name);
  }
});

test('a long token needs -w0: without it the header is cut and the token refused', async () => {
  const token = JSON.stringify({ account_id: entry('d02').account_id, refresh_token: entry('d02').oauth.refresh_token });
  const ask = (encode) => shell(`curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(echo '${token}' | ${encode})" ${base}/list_dealers`);
  assert.equal((await ask('base64 -w0')).stdout, '200');
  assert.notEqual((await ask('base64')).stdout, '200');
});

describe('the structured result of a tool call', () => {
  const today = todayIn('UTC');
  const range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };

  test('by GET, with values as text', async () => {
    const args = { dealer_id: 'd01', metrics: ['sessions', 'newUsers'], dimensions: ['sessionDefaultChannelGroup'], date_ranges: [range] };
    const { structuredContent } = await throughMcp('run_report', args, bare('d01'));
    const query = [['dealer', 'd01'], ['metrics', 'sessions'], ['metrics', 'newUsers'], ['dimensions', 'sessionDefaultChannelGroup'], ['date_ranges', JSON.stringify([range])]];
    const { status, body } = await get('run_report', query, bare('d01'));
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(body.rows.length > 1);
    assert.deepEqual(body, structuredContent);
  });

  test('by POST, of a tool that streams', async () => {
    const args = { subject: 'd01', date_range: range };
    const { structuredContent } = await throughMcp('compare_dealer_sessions', args, bare('d01'));
    const { status, body } = await post('compare_dealer_sessions', args, bare('d01'));
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body, structuredContent);
  });
});

test('a dealer outside the grant is refused, and nothing of it is in the refusal', async () => {
  const { status, body } = await get('get_property_details', { dealer: 'd02' }, bare('d01'));
  const through = await throughMcp('get_property_details', { dealer: 'd02' }, bare('d01'));
  assert.ok([403, 404].includes(status), `${status}`);
  assert.deepEqual(Object.keys(body), ['error']);
  assert.equal(body.error, through.content[0].text);
  assert.ok(!JSON.stringify(body).includes(entry('d02').name));
});

test('errors have their status', async () => {
  assert.equal((await get('list_dealers', { limit: 'many' }, bare('d01'))).status, 400);
  assert.equal((await get('list_dealers', {}, 'bad')).status, 401);
  assert.equal((await get('no_such_tool', {}, bare('d01'))).status, 404);
  assert.equal((await fetch(`${base}/list_dealers`, { method: 'PUT', headers: { Authorization: `Bearer ${bare('d01')}` } })).status, 405);
});

test('a resource holds what its reader may see, and the list of resources names nobody', async () => {
  const read = async (id) => {
    const client = await Mcp.connect(s.set.url, { token: bare(id) });
    const list = await client.request('resources/list', {});
    for (const d of dealers) assert.ok(!list.raw.includes(d.name), d.name);
    return (await client.request('resources/read', { uri: 'analytics://dealers' })).result.contents[0].text;
  };
  for (const id of ['d01', 'd03']) {
    const text = await read(id);
    for (const d of dealers) assert.equal(text.includes(d.name), d.dealer_id === id, `${id} reads of ${d.dealer_id}`);
  }
  const client = await Mcp.connect(s.set.url, { token: bare('d01') });
  for (const uri of ['analytics://regions', 'analytics://metrics']) {
    const { result } = await client.request('resources/read', { uri });
    assert.ok(result.contents[0].text.length > 100, uri);
  }
});
