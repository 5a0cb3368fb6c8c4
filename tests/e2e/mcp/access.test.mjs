// Access through the whole set with authentication on: who gets in, and what each one sees.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { startOverWorld } from '../set/world.mjs';
import { connect, kinds } from './clients.mjs';

let set, dealers;
before(async () => {
  ({ set } = await startOverWorld({ env: { gateway: { ENABLE_AUTH: 'true' }, auth: { ENABLE_AUTH: 'true' } } }));
  ({ dealers } = JSON.parse(fs.readFileSync(set.dealersFile, 'utf8')));
});
after(async () => {
  await set?.stop();
});

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
/** The plan's token form: account and its refresh token. */
const tokenOf = (dealer) => encode({
  account_id: dealer.account_id, access_token: '', refresh_token: dealer.oauth.refresh_token,
  expires_at: 4102444800, dealer_name: dealer.name,
});

async function withDealer(dealer, fn) {
  const c = await connect(kinds[0], set.url, { token: tokenOf(dealer) });
  await fn(c);
  await c.close();
  assert.deepEqual(c.errors, []);
}

test('a dealer sees its own data and no other dealer', { timeout: 60_000 }, async () => {
  const [own, other] = dealers;
  await withDealer(own, async ({ call }) => {
    const list = objects((await call('list_dealers', {})).structuredContent);
    assert.deepEqual(list.map((d) => d.dealer_id), [own.dealer_id]);
    const mine = await call('run_report', { dealer_id: own.dealer_id, metrics: ['sessions'] });
    assert.ok(!mine.isError, mine.content[0].text);
    const theirs = await call('run_report', { dealer_id: other.dealer_id, metrics: ['sessions'] });
    assert.equal(theirs.isError, true);
    assert.ok(!theirs.content[0].text.includes(other.name));
  });
});

test('two dealers at once never see each other', { timeout: 60_000 }, async () => {
  await Promise.all(dealers.slice(0, 6).map((dealer) => withDealer(dealer, async ({ call }) => {
    for (let i = 0; i < 5; i++) {
      const list = objects((await call('list_dealers', {})).structuredContent);
      assert.deepEqual(list.map((d) => d.dealer_id), [dealer.dealer_id]);
    }
  })));
});

test('wrong, unsigned and missing tokens are 401 with the texts of the plan', async () => {
  const post = async (authorization) => {
    const response = await fetch(set.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
        ...(authorization ? { Authorization: authorization } : {}),
      },
      body: JSON.stringify({
        jsonrpc: '2.0', id: 1, method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    });
    return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() };
  };
  const wrong = encode({ account_id: dealers[0].account_id, refresh_token: 'guess' });
  const unsigned = encode({ account_id: dealers[0].account_id });
  for (const token of [wrong, unsigned, 'nonsense', `${tokenOf(dealers[0])}x`]) {
    const answer = await post(`Bearer ${token}`);
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.body, { error: 'Invalid credentials' });
    assert.match(answer.challenge, /^Bearer .*error="invalid_token"/);
  }
  const missing = await post();
  assert.equal(missing.status, 401);
  assert.deepEqual(missing.body, { error: 'Missing credentials' });
  assert.match(missing.challenge, /^Bearer /);
  assert.equal((await fetch(new URL('/health', set.url))).status, 200);
});

test('a restart of auth-svc, which seals with another random key, loses no call', { timeout: 60_000 }, async () => {
  await withDealer(dealers[0], async ({ call }) => {
    assert.ok(!(await call('list_dealers', {})).isError);
    await set.restart('auth');
    for (const tool of ['list_dealers', 'list_cohorts']) {
      const result = await call(tool, {});
      assert.ok(!result.isError, result.content[0].text);
    }
  });
});
