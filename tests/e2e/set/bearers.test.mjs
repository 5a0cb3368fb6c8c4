// Every form of bearer token at the gateway of a running set, the signed ones made by another library
// (jose): who is let in sees what its claims say, who is not gets a challenge.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as jose from 'jose';
import { inherited } from '../lib/child.mjs';
import { Mcp } from './mcp.mjs';
import { accountToken, AUDIENCE, authSettings, ISSUER, secret } from './tokens.mjs';
import { figuresOf } from './truth.mjs';
import { BUILD, daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, world, date_range, dealers, hsSecret, issuer, endpoint, dir;
const keys = {}; // by algorithm: { publicKey, privateKey }, in AUTH_JWT_KEY_FILE

const entry = (id) => dealers.find((d) => d.dealer_id === id);
const now = () => Math.floor(Date.now() / 1000);
const claimsOf = (more) => ({ iss: ISSUER, aud: AUDIENCE, iat: now(), exp: now() + 600, sub: 'someone', role: 'dealer', dealers: ['d02'], ...more });
// Signed with a key of the key file, unless another is given.
const sign = (alg, claims = {}, { header = {}, key = keys[alg].privateKey } = {}) =>
  new jose.SignJWT(claimsOf(claims)).setProtectedHeader({ alg, ...header }).sign(key);

// A server of the test on loopback; handler(request, body) -> { status, headers, body }.
async function serve(handler) {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = await handler(request, body);
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${server.address().port}`;
  return server;
}

// An identity provider with keys by URL.
async function startIssuer() {
  const published = new Map(); // kid -> JWK
  const server = await serve(() => {
    server.fetches++;
    return { body: JSON.stringify({ keys: [...published.values()] }), headers: { 'Cache-Control': 'max-age=600' } };
  });
  server.fetches = 0;
  server.make = async (alg, kid) => {
    const pair = await jose.generateKeyPair(alg, { extractable: true });
    return { alg, kid, ...pair, jwk: { ...(await jose.exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
  };
  server.publish = (...list) => {
    published.clear();
    for (const key of list) published.set(key.kid, key.jwk);
  };
  server.sign = (key, claims = {}, header = {}) => sign(key.alg, claims, { header: { kid: key.kid, ...header }, key: key.privateKey });
  return server;
}

// Passes questions on to the simulator's token endpoint and keeps the access tokens it gives.
async function startEndpoint(sim) {
  const tokens = [];
  const server = await serve(async (request, body) => {
    const answer = await fetch(`${sim()}/token`, { method: 'POST', headers: { 'Content-Type': request.headers['content-type'] }, body });
    const text = await answer.text();
    tokens.push(JSON.parse(text).access_token);
    return { status: answer.status, body: text };
  });
  server.tokens = tokens;
  return server;
}

before(async () => {
  hsSecret = secret();
  issuer = await startIssuer();
  endpoint = await startEndpoint(() => s.set.sim);
  dir = fs.mkdtempSync(path.join(BUILD, 'bearers-'));
  for (const alg of ['RS256', 'ES256', 'EdDSA']) keys[alg] = await jose.generateKeyPair(alg, { extractable: true });
  const pems = await Promise.all(Object.values(keys).map((k) => jose.exportSPKI(k.publicKey)));
  fs.writeFileSync(path.join(dir, 'public.pem'), pems.join('\n'));
  const first = await issuer.make('RS256', 'first');
  issuer.first = first;
  issuer.kept = await issuer.make('ES256', 'kept');
  issuer.publish(first, issuer.kept);
  const { gateway, auth } = authSettings(hsSecret);
  s = await startOverWorld({
    env: {
      gateway: { ...gateway, ANALYTICS_MCP_RESOURCE_URL: AUDIENCE, ANALYTICS_MCP_AUTH_SERVERS: ISSUER },
      auth: { ...auth, AUTH_JWT_KEY_FILE: path.join(dir, 'public.pem'), AUTH_JWT_JWKS_URL: `${issuer.url}/keys` },
      report: { REPORT_BACKOFF_MS: 20 },
    },
  });
  world = s.world;
  ({ dealers } = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')));
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
});
after(async () => {
  issuer?.close();
  endpoint?.close();
  if (dir) fs.rmSync(dir, { recursive: true, force: true });
  await s?.stop();
});

const call = (token, method = 'ping', params = undefined) => new Mcp(s.set.url, { token }).request(method, params);

// The token opens exactly these dealers, with their numbers.
async function opens(token, ids) {
  s.set.secrets.add('bearer', token);
  const client = await Mcp.connect(s.set.url, { token });
  const list = await client.data('list_dealers', {});
  assert.deepEqual(list.dealers.map((d) => d.dealer_id), ids);
  const answer = await client.data('run_report', { dealer_id: ids[0], metrics: ['sessions'], date_ranges: [date_range] });
  assert.equal(Number(answer.rows[0].metric_values[0].value), figuresOf(world, world.dealer(ids[0]), date_range).sessions);
  const other = world.dealers.find((d) => !ids.includes(d.dealer_id));
  if (other) assert.doesNotMatch(await client.refused('run_report', { dealer_id: other.dealer_id, metrics: ['sessions'] }), new RegExp(other.name));
}

// 401 with the challenge of RFC 6750 and RFC 9728, and nothing of why that would help to guess.
async function refused(token, where) {
  const answer = await call(token);
  assert.equal(answer.status, 401, `${where}: ${answer.status} ${answer.raw}`);
  assert.equal(answer.raw, '{"error":"Invalid credentials"}', where);
  const challenge = answer.headers.get('www-authenticate');
  assert.match(challenge, /^Bearer realm="analytics-mcp", resource_metadata="https:\/\/mcp\.example\/\.well-known\/oauth-protected-resource\/mcp", error="invalid_token", error_description="[^"]+"$/, where);
}

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
// A token whose claims are this very text.
async function signText(alg, text, { header = {}, key = keys[alg].privateKey } = {}) {
  return new jose.CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg, ...header }).sign(key);
}

describe('signed tokens', () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'])
    test(`${alg} by key file`, async () => {
      await opens(await sign(alg), ['d02']);
      await opens(await sign(alg, { aud: ['https://other.example', AUDIENCE], sub: 'list of audiences' }), ['d02']);
      await opens(await sign(alg, { sub: 'key id', dealers: ['d02', 'd05'], role: 'group' }, { header: { typ: 'at+jwt', kid: 'that PEM cannot have' } }), ['d02', 'd05']);
    });

  test('HS256 by secret', async () => {
    await opens(await sign('HS256', {}, { key: new TextEncoder().encode(hsSecret) }), ['d02']);
  });

  test("Ed25519, EdDSA's other name", async () => {
    await opens(await sign('Ed25519', {}, { key: keys.EdDSA.privateKey }), ['d02']);
  });

  test('RS256 by URL', async () => {
    await opens(await issuer.sign(issuer.first), ['d02']);
    await opens(await sign('RS256', { sub: 'without key id' }, { key: issuer.first.privateKey }), ['d02']);
  });
});

// `gateway ask`, as helm test runs it: { code, stdout, stderr }.
const ask = (token) =>
  new Promise((resolve) => {
    const env = { ...inherited(), ...(token === undefined ? {} : { MCP_TOKEN: token }) };
    execFile(path.join(BUILD, 'bin/gateway'), ['ask', s.set.url], { env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });

test('gateway ask shows the token it is given', async () => {
  const token = await sign('ES256', { sub: 'helm test', role: 'admin', dealers: undefined });
  s.set.secrets.add('bearer', token);
  for (const text of [token, `${token}\n`]) {
    const answer = await ask(text); // a Secret made from a file ends with a line end
    assert.equal(answer.code, 0, answer.stderr);
    assert.match(answer.stdout, /against the other dealers of/);
  }
  const without = await ask();
  assert.equal(without.code, 1);
  assert.match(without.stderr, /^gateway ask: the endpoint answered 401/);
  const torn = await ask(`${token}\r\nX-User-ID: somebody`);
  assert.equal(torn.code, 1);
  assert.equal(torn.stderr, 'gateway ask: MCP_TOKEN: holds a character that no bearer token has\n');
});

describe('signed tokens that are refused', () => {
  const stranger = {};
  before(async () => {
    for (const alg of ['RS256', 'ES256', 'EdDSA']) stranger[alg] = (await jose.generateKeyPair(alg)).privateKey;
  });

  test('claims', async () => {
    const bad = {
      'audience of another': { aud: 'https://other.example' },
      'list of audiences of others': { aud: ['https://other.example', `${AUDIENCE}/`] },
      'empty list of audiences': { aud: [] },
      'no audience': { aud: undefined },
      'issuer of another': { iss: 'https://issuer.example.evil' },
      'no issuer': { iss: undefined },
      'not yet valid': { nbf: now() + 3600 },
      'nbf as text': { nbf: 'now' },
      'expired': { exp: now() - 3600 },
      'no expiry': { exp: undefined },
      'expiry as text': { exp: String(now() + 600) },
      'expiry in milliseconds': { exp: (now() + 600) * 1000 },
      'a life of a week': { exp: now() + 7 * 86400 },
      'a life of two days, nearly over': { iat: now() - 2 * 86400, exp: now() + 600 },
      'time of issue as text': { iat: String(now()) },
      'no subject': { sub: undefined },
      'subject with a line break': { sub: 'a\nb' },
      'subject of 1 KiB': { sub: 'a'.repeat(1024) },
      'no role': { role: undefined },
      'role unknown': { role: 'root' },
      'role as a list': { role: ['admin'] },
      'dealers as text': { dealers: 'd02' },
      'dealers of numbers': { dealers: [2] },
    };
    for (const [name, claims] of Object.entries(bad)) {
      const text = JSON.stringify(claimsOf(claims));
      await refused(await signText('ES256', text), name);
      await refused(await signText('HS256', text, { key: new TextEncoder().encode(hsSecret) }), `${name}, HS256`);
    }
  });

  test('claims that are not a plain JSON object', async () => {
    const good = JSON.stringify(claimsOf());
    const bad = {
      'a claim twice': good.replace('{', '{"role":"admin",'),
      'another claim twice': good.replace('}', ',"dealers":["d01"]}'),
      'a list': `[${good}]`,
      'nothing': '',
      'a text': '"x"',
      'deep': good.replace('}', `,"x":${'['.repeat(500)}${']'.repeat(500)}}`),
      'a NUL': good.replace('someone', 'some\\u0000one'),
      'more after it': `${good}${good}`,
    };
    for (const [name, text] of Object.entries(bad)) await refused(await signText('RS256', text), name);
  });

  test('keys of others, and what stands in the header', async () => {
    const spki = await jose.exportSPKI(keys.RS256.publicKey);
    const jwk = await jose.exportJWK(keys.RS256.publicKey);
    const text = (value) => new TextEncoder().encode(value);
    const first = await jose.exportSPKI(issuer.first.publicKey);
    for (const alg of ['RS256', 'ES256', 'EdDSA']) await refused(await sign(alg, {}, { key: stranger[alg] }), `${alg} of a stranger`);
    await refused(await sign('HS256', {}, { key: text(secret()) }), 'another secret');
    for (const [name, key] of Object.entries({ PEM: spki, 'PEM without its end': spki.trimEnd(), modulus: jwk.n, 'PEM of the URL': first }))
      await refused(await sign('HS256', { role: 'admin' }, { key: text(key) }), `HS256 with the public key as secret: ${name}`);
    await refused(new jose.UnsecuredJWT(claimsOf({ role: 'admin' })).encode(), 'algorithm none');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'RS256', null, 7])
      await refused(`${encode({ alg, typ: 'JWT' })}.${encode(claimsOf({ role: 'admin' }))}.`, `no signature, algorithm ${alg}`);
    for (const alg of ['RS384', 'RS512', 'PS256']) {
      const key = await jose.importPKCS8(await jose.exportPKCS8(keys.RS256.privateKey), alg);
      await refused(await sign(alg, {}, { key }), `${alg} with the right key`);
    }
    await refused(await sign('RS256', {}, { header: { kid: 'unknown' }, key: issuer.first.privateKey }), 'key id unknown');
    await refused(await sign('RS256', {}, { header: { kid: issuer.first.kid }, key: stranger.RS256 }), "another's key id");
    await refused(await sign('RS256', {}, { header: { kid: '../../etc/passwd', jku: `${issuer.url}/evil`, jwk }, key: stranger.RS256 }), 'key in the header');
    const crit = new jose.SignJWT(claimsOf()).setProtectedHeader({ alg: 'ES256', crit: ['urn:example:must'], 'urn:example:must': true });
    await refused(await crit.sign(keys.ES256.privateKey, { crit: { 'urn:example:must': true } }), 'an extension that must be understood');
    await refused(await signText('ES256', JSON.stringify(claimsOf()), { header: { typ: 'dpop+jwt' } }), 'another type of token');
  });

  test('tokens that were changed, cut or dressed up', async () => {
    const good = await sign('ES256', { sub: 'to be changed' });
    const [header, claims, signature] = good.split('.');
    const der = Buffer.concat([Buffer.from([0x30, 68, 2, 32]), Buffer.from(signature, 'base64url').subarray(0, 32), Buffer.from([2, 32]), Buffer.from(signature, 'base64url').subarray(32)]);
    const bad = {
      'other claims': `${header}.${encode(claimsOf({ role: 'admin' }))}.${signature}`,
      'other header': `${encode({ alg: 'ES256', kid: 'x' })}.${claims}.${signature}`,
      'no signature': `${header}.${claims}.`,
      'half a signature': `${header}.${claims}.${signature.slice(0, 40)}`,
      'a signature in DER': `${header}.${claims}.${der.toString('base64url')}`,
      'zeroes for a signature': `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`,
      'padding': `${header}=.${claims}.${signature}`,
      'four parts': `${good}.${signature}`,
      'five parts': `${good}.${signature}.${signature}`,
      'two parts': `${header}.${claims}`,
      'dots': '..',
      'a dot': '.',
      'not base64url': `${header}.${claims}.${signature.slice(0, -1)}!`,
    };
    for (const [name, token] of Object.entries(bad)) await refused(token, name);
    await opens(good, ['d02']);
  });

  test('17 KiB', async () => {
    const token = await sign('ES256', { padding: 'x'.repeat(12_500) });
    assert.ok(token.length > 16.5 * 1024 && token.length < 17.5 * 1024, String(token.length));
    const answer = await call(token);
    assert.ok([401, 431].includes(answer.status), `${answer.status} ${answer.raw}`);
    assert.match(answer.raw, /"error":"[^"]+"/);
    if (answer.status === 401) await refused(token, '17 KiB');
    await opens(await sign('ES256', { sub: 'large', padding: 'x'.repeat(5_000) }), ['d02']);
  });
});

describe("the plan's token: an account and its secret", () => {
  const token = (id, more) => accountToken({ account_id: entry(id).account_id, dealer_name: entry(id).name, ...more });

  test('with its refresh token', async () => {
    const { refresh_token } = entry('d03').oauth;
    await opens(token('d03', { refresh_token, access_token: '', expires_at: now() + 3600 }), ['d03']);
    await opens(token('d03', { refresh_token, expires_at: now() - 3600 }), ['d03']); // of the access token
    await refused(token('d03', { refresh_token: `${refresh_token}x` }), 'another refresh token');
    await refused(token('d03', { refresh_token: entry('d04').oauth.refresh_token }), "another dealer's");
    await refused(token('d03', { refresh_token: [refresh_token] }), 'a list');
    await refused(accountToken({ account_id: 'nobody', refresh_token }), 'an unknown account');
    await refused(accountToken({ refresh_token }), 'no account');
    await refused(accountToken([{ account_id: entry('d03').account_id, refresh_token }]), 'a list');
  });

  test('under its dealer id, too', async () => {
    const { refresh_token } = entry('d03').oauth;
    await opens(accountToken({ account_id: 'd03', refresh_token }), ['d03']);
    await refused(accountToken({ account_id: 'd04', refresh_token }), "another dealer's id");
  });

  test('never with an access token, not even the one that auth-svc holds', async () => {
    entry('d06').oauth.token_uri = `${endpoint.url}/token`;
    fs.writeFileSync(s.set.dealersFile, JSON.stringify({ dealers }), { mode: 0o600 });
    const { refresh_token } = entry('d06').oauth;
    for (let i = 0; endpoint.tokens.length === 0 && i < 100; i++) {
      const client = await Mcp.connect(s.set.url, { token: token('d06', { refresh_token, n: i }) });
      await client.call('run_report', { dealer_id: 'd06', metrics: ['sessions'], limit: i + 1 });
      await sleep(50);
    }
    const access_token = endpoint.tokens.at(-1);
    assert.match(access_token, /^ya29\./);
    await refused(access_token, 'the access token itself');
    await refused(token('d06', { access_token }), 'the access token alone');
    for (const expires_at of [now() + 600, (now() + 600) * 1000, new Date(Date.now() + 600_000).toISOString(), now() - 1, '2020-01-01T00:00:00Z', 'soon', 0, -1, true, {}])
      await refused(token('d06', { access_token, expires_at }), `expires_at ${expires_at}`);
    await refused(token('d06', { refresh_token: access_token, expires_at: now() + 600 }), 'the access token as a refresh token');
    await refused(accountToken({ account_id: 'd06', access_token, expires_at: now() + 600 }), 'under the dealer id');
    await refused(token('d03', { access_token, expires_at: now() + 600 }), "another dealer's access token");
    await refused(token('d06', { access_token: `${access_token}x`, expires_at: now() + 600 }), 'another access token');
    await opens(token('d06', { refresh_token, access_token }), ['d06']);
  });

  test('not where the operator switched the form off', async () => {
    const { refresh_token } = entry('d03').oauth;
    s.set.changeEnv('auth', { AUTH_ACCOUNT_TOKENS: 'off' });
    await s.set.restart('auth');
    const off = token('d03', { refresh_token, note: 'while it is off' });
    for (let i = 0; (await call(off)).status === 503 && i < 75; i++) await sleep(200);
    await refused(off, 'an account token while the form is off');
    await opens(await sign('ES256', { sub: 'signed, while it is off' }), ['d02']);
    s.set.changeEnv('auth', { AUTH_ACCOUNT_TOKENS: null });
    await s.set.restart('auth');
    const on = token('d03', { refresh_token, note: 'on again' });
    for (let i = 0; (await call(on)).status === 503 && i < 75; i++) await sleep(200);
    await opens(on, ['d03']);
  });

  test('without proof: only where the operator allows it', async () => {
    const bare = token('d03');
    await refused(bare, 'an account alone');
    await refused(accountToken({ account_id: 'nobody' }), 'an unknown account alone');
    s.set.changeEnv('auth', { AUTH_ALLOW_UNSIGNED_TOKENS: 'true' });
    await s.set.restart('auth');
    for (let i = 0; (await call(bare)).status === 503 && i < 75; i++) await sleep(200);
    await opens(bare, ['d03']);
    await refused(accountToken({ account_id: 'nobody' }), 'an unknown account alone');
    await refused(token('d03', { refresh_token: 'wrong' }), 'a wrong proof is not a missing one');
    assert.match(s.set.output('auth').stderr, /accounts are taken without proof/);
    s.set.changeEnv('auth', { AUTH_ALLOW_UNSIGNED_TOKENS: null });
    await s.set.restart('auth');
    const again = accountToken({ account_id: entry('d03').account_id, after: 'the restart' });
    for (let i = 0; (await call(again)).status === 503 && i < 75; i++) await sleep(200);
    await refused(again, 'an account alone');
  });
});

describe('auth-svc token', () => {
  const run = (args, env = {}) =>
    new Promise((resolve) => {
      const options = { env: { ...inherited(), AUTH_JWT_ISSUER: ISSUER, AUTH_JWT_AUDIENCE: AUDIENCE, GA_CREDENTIALS_PATH: s.set.dealersFile, ...env } };
      execFile(path.join(BUILD, 'bin/auth-svc'), ['token', ...args], options, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
    });

  test('what mint prints opens the gateway, and inspect says so', async () => {
    const env = { AUTH_JWT_HS256_SECRET: hsSecret, AUTH_JWT_KEY_FILE: path.join(dir, 'public.pem') };
    for (const alg of ['HS256', 'RS256', 'ES256', 'EdDSA']) {
      const file = path.join(dir, `${alg}.key`);
      if (keys[alg]) fs.writeFileSync(file, await jose.exportPKCS8(keys[alg].privateKey), { mode: 0o600 });
      const options = keys[alg] ? ['--key', file] : [];
      const minted = await run(['mint', '--sub', `minted ${alg}`, '--role', 'group', '--dealer', 'd07', '--dealer', 'd08', '--ttl', '5m', ...options], env);
      assert.equal(minted.code, 0, minted.stderr);
      const token = minted.stdout.trim();
      const verified = await jose.jwtVerify(token, keys[alg]?.publicKey ?? new TextEncoder().encode(hsSecret), { issuer: ISSUER, audience: AUDIENCE });
      assert.equal(verified.protectedHeader.alg, alg);
      await opens(token, ['d07', 'd08']);
      const inspected = await run(['inspect', token], env);
      assert.equal(inspected.code, 0);
      assert.match(inspected.stdout, /accepted: yes/);
      assert.match(inspected.stdout, /d07/);
    }
  });

  test('inspect says why a token is not accepted, as the gateway does not', async () => {
    const env = { AUTH_JWT_KEY_FILE: path.join(dir, 'public.pem') };
    const cases = [
      [await sign('ES256', { exp: now() - 3600 }), /has expired \(exp\)/],
      [await sign('ES256', { aud: 'https://other.example' }), /made for another audience \(aud\)/],
      [await sign('HS256', {}, { key: new TextEncoder().encode(hsSecret) }), /no configured key has the token's algorithm/],
    ];
    for (const [token, why] of cases) {
      const inspected = await run(['inspect', token], env);
      assert.equal(inspected.code, 1);
      assert.match(inspected.stdout, why);
    }
    const minted = await run(['mint', '--sub', 'x', '--role', 'dealer', '--dealer', 'd99', '--key', path.join(dir, 'ES256.key')], env);
    assert.notEqual(minted.code, 0);
    assert.match(minted.stderr, /d99/);
  });
});

describe('keys by URL change while the set runs', () => {
  test('a token with a new key works at once; with the old key withdrawn, its tokens stop', async () => {
    const late = await issuer.sign(issuer.first, { sub: 'signed by a key that is withdrawn' });
    await opens(await issuer.sign(issuer.first, { sub: 'signed before' }), ['d02']);
    await opens(await issuer.sign(issuer.kept, { sub: 'signed before' }), ['d02']);
    const { fetches } = issuer;
    const second = await issuer.make('ES256', 'second');
    issuer.publish(issuer.kept, second);
    const began = Date.now();
    await opens(await issuer.sign(second), ['d02']);
    assert.ok(Date.now() - began < 5000);
    // The gateway remembers a token it has seen for a minute; this one it has not seen.
    await refused(late, 'a key that is withdrawn');
    await opens(await issuer.sign(issuer.kept, { sub: 'signed after' }), ['d02']);
    assert.equal(issuer.fetches, fetches + 1, 'one fetch');
  });

  test('an issuer that is down takes nobody out', async () => {
    issuer.close();
    issuer.closeAllConnections();
    await opens(await issuer.sign(issuer.kept, { sub: 'while it is down' }), ['d02']);
    await refused(await sign('ES256', {}, { header: { kid: 'never seen' }, key: (await jose.generateKeyPair('ES256')).privateKey }), 'an unknown key');
  });
});

test('nothing of this was an error of ours', async () => {
  const metrics = await (await fetch(`${s.set.admin('gateway')}/metrics`)).text();
  assert.doesNotMatch(metrics, /status="5(?!03)\d\d"\} [1-9]/);
  for (const name of s.set.names) assert.doesNotMatch(s.set.output(name).stderr, /"level":"error"/, name);
});
