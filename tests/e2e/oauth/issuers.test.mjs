// Several issuers at once: tokens shaped like those of Keycloak, Entra, Auth0, Cognito and Google are mapped to roles and
// dealers by AUTH_ISSUERS_FILE, through the five processes; and what is not to get in does not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lib/ports.mjs';
import { Mcp } from '../set/mcp.mjs';
import { authSettings, AUDIENCE, jwt, secret } from '../set/tokens.mjs';
import { figuresOf } from '../set/truth.mjs';
import { BUILD, daysBefore, startOverWorld, todayIn } from '../set/world.mjs';
import { AuthorizationServer } from './server.mjs';

const APP = 'analytics-app';
const servers = {};
let s, world, own, dir, file, date_range, downPort;

const RULES = {
  keycloak: [
    { claim: 'realm_access.roles', contains: 'analytics-admin', role: 'admin' },
    { claim: 'dealer_ids', role: 'dealer', dealers: ['{value}'] },
  ],
  entra: [
    { claim: 'roles', prefix: 'Dealer.', role: 'dealer', dealers: ['{value}'] },
    { claim: 'groups', any: ['11111111-aaaa', '22222222-bbbb'], role: 'group', dealers: ['d03', 'd04'] },
  ],
  auth0: [{ claim: "'https://northgate.example/dealers'", role: 'group', dealers: ['{value}'] }],
  cognito: [{ claim: 'cognito:groups', contains: 'region-managers', role: 'group', regions: ['REGION'] }],
  google: [{ claim: 'hd', equals: 'northgate.example', and: [{ claim: 'email_verified', equals: true }], role: 'dealer', dealers: ['d07'] }],
};

// The issuers file; `more` for what it says beside the five.
function document(more = []) {
  const entry = (name, extra) => ({ issuer: servers[name].issuer, name, rules: RULES[name], ...extra });
  return {
    issuers: [
      entry('keycloak', { algorithms: ['RS256'] }), entry('entra'), entry('auth0', { audiences: [AUDIENCE] }),
      entry('cognito', { audiences: [APP], audience_claim: 'client_id' }), entry('google', { audiences: [APP], typ: 'JWT' }), ...more,
    ],
  };
}
const write = (content) => {
  fs.writeFileSync(`${file}.new`, JSON.stringify(content, null, 1));
  fs.renameSync(`${file}.new`, file);
};

const readyz = async () => (await fetch(`${s.set.admin('auth')}/readyz`)).text();
// Waits until the page of auth-svc says it.
async function shown(pattern) {
  for (let page = ''; ; await sleep(50)) {
    page = await readyz();
    if (pattern.test(page)) return page;
    s.set.check();
  }
}

before(async () => {
  for (const name of Object.keys(RULES)) servers[name] = await new AuthorizationServer(name, { metadata: name === 'auth0' ? 'oauth' : 'oidc' }).start();
  servers.down = new AuthorizationServer('keycloak');
  downPort = await freePort();
  dir = fs.mkdtempSync(path.join(BUILD, 'issuers-'));
  file = path.join(dir, 'issuers.json');
  own = secret();
  const regions = ['West', 'Midwest', 'South', 'East', 'North'];
  const { gateway, auth } = authSettings(own);
  RULES.cognito[0].regions = regions; // those the world has are known, the others give nothing
  write(document([{ issuer: `http://127.0.0.1:${downPort}`, name: 'down', rules: [{ claim: 'sub', role: 'admin' }] }]));
  s = await startOverWorld({
    env: {
      gateway: { ...gateway, ANALYTICS_MCP_RESOURCE_URL: AUDIENCE, ANALYTICS_MCP_AUTH_SERVERS: Object.values(servers).filter((x) => x.issuer).map((x) => x.issuer).join(',') },
      auth: { ...auth, AUTH_ISSUERS_FILE: file, AUTH_CONFIG_CHECK_S: 1 },
    },
  });
  world = s.world;
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
});
after(async () => {
  for (const server of Object.values(servers)) server.stop();
  if (dir) fs.rmSync(dir, { recursive: true, force: true });
  await s?.stop();
  for (const server of Object.values(servers)) assert.equal(server.fault, undefined);
});

const call = (token) => new Mcp(s.set.url, { token }).request('ping');

// The token opens exactly these dealers, with their numbers.
async function opens(token, ids) {
  s.set.secrets.add('bearer', token);
  const client = await Mcp.connect(s.set.url, { token });
  const list = await client.data('list_dealers', { limit: 500 });
  assert.deepEqual(list.dealers.map((d) => d.dealer_id).sort(), [...ids].sort());
  const answer = await client.data('run_report', { dealer_id: ids[0], metrics: ['sessions'], date_ranges: [date_range] });
  assert.equal(Number(answer.rows[0].metric_values[0].value), figuresOf(world, world.dealer(ids[0]), date_range).sessions);
  const other = world.dealers.find((d) => !ids.includes(d.dealer_id));
  if (other) assert.doesNotMatch(await client.refused('run_report', { dealer_id: other.dealer_id, metrics: ['sessions'] }), new RegExp(other.name));
}

async function refused(token, where) {
  const answer = await call(token);
  assert.equal(answer.status, 401, `${where}: ${answer.raw}`);
  assert.match(answer.headers.get('www-authenticate'), /error="invalid_token"/, where);
}

// 403 whose text names what was looked for, and neither a dealer nor what the token holds.
async function unmapped(token, pattern, secrets = []) {
  s.set.secrets.add('bearer', token);
  const answer = await call(token);
  assert.equal(answer.status, 403, answer.raw);
  const { error } = JSON.parse(answer.raw);
  assert.match(error, pattern);
  for (const d of world.dealers) for (const text of [d.dealer_id, d.name]) assert.ok(!error.includes(text), error);
  for (const text of secrets) assert.ok(!error.includes(text), error);
  assert.equal(answer.headers.get('www-authenticate'), null); // to sign in again would not help
}

const user = (more) => ({ clientId: APP, resource: AUDIENCE, ...more });

test('tokens of the five providers open what their claims are mapped to', async () => {
  await opens(await servers.keycloak.token(user({ dealers: ['d01', 'd02'] })), ['d01', 'd02']);
  await opens(await servers.keycloak.token(user({ roles: ['analytics-admin'] })), world.dealers.map((d) => d.dealer_id));
  await opens(await servers.entra.token(user({ roles: ['Dealer.d05', 'Reader'] })), ['d05']);
  await opens(await servers.entra.token(user({ groups: ['33333333-cccc', '22222222-bbbb'] })), ['d03', 'd04']);
  await opens(await servers.auth0.token(user({ dealers: ['d06'] })), ['d06']);
  await opens(await servers.cognito.token(user({ groups: ['region-managers'] })),
    world.dealers.filter((d) => RULES.cognito[0].regions.includes(d.region)).map((d) => d.dealer_id));
  await opens(await servers.google.token(user({ email: 'ann@northgate.example', domain: 'northgate.example' })), ['d07']);
});

test('AUTH_JWT_* goes on as one more issuer', async () => {
  await opens(jwt(own, { role: 'dealer', dealers: ['d02'] }), ['d02']);
  await refused(jwt(own, { role: 'admin', sub: 'keycloak:ann' }), 'a subject of another issuer');
});

test('users without a mapping get a 403 that names what was looked for', async () => {
  await unmapped(await servers.keycloak.token(user({ roles: ['s3cret-role'] })), /no rule of the issuer keycloak gives it access; looked for realm_access\.roles \(no rule for what it holds\), dealer_ids \(not in the token\)/, ['s3cret-role']);
  await unmapped(await servers.entra.token(user({ overage: true })), /roles \(not in the token\), groups \(not in the token\); the token leaves its groups out because there are too many \(overage\)/);
  await unmapped(await servers.auth0.token(user({})), /looked for 'https:\/\/northgate\.example\/dealers' \(not in the token\)/);
  await unmapped(await servers.auth0.token(user({ dealers: ['d99'] })), /its rule of the issuer auth0 names no dealer that is set up here/, ['d99']);
  await unmapped(await servers.cognito.token(user({ groups: ['visitors'] })), /cognito:groups \(no rule for what it holds\)/, ['visitors']);
  await unmapped(await servers.google.token(user({ email: 'eve@gmail.example' })), /hd \(not in the token\)/, ['eve']);
  await unmapped(await servers.google.token(user({ email: 'ann@northgate.example', domain: 'northgate.example', verified: false })), /email_verified \(no rule/);
});

test('the audit line of a refusal has the subject and what was looked for', async () => {
  await unmapped(await servers.keycloak.token(user({ sub: 'kim', roles: [] })), /keycloak/);
  const lines = s.set.output('auth').stderr.split('\n').filter((line) => line.includes('"keycloak:kim"'));
  assert.ok(lines.some((line) => /no_mapping/.test(line) && /looked for realm_access\.roles/.test(line)), lines.join('\n'));
});

test('a token of one issuer that claims to be of another is refused', async () => {
  const { keycloak, auth0, entra } = servers;
  await refused(await keycloak.token(user({ dealers: ['d01'] }), { iss: auth0.issuer, 'https://northgate.example/dealers': ['d01'] }), 'a key of keycloak, iss auth0');
  await refused(await auth0.token(user({ dealers: ['d01'] }), { iss: keycloak.issuer, dealer_ids: ['d01'] }), 'a key of auth0, iss keycloak');
  await refused(await entra.token(user({ roles: ['Dealer.d05'] }), { iss: `${entra.issuer}/` }), 'a slash more');
  await refused(await entra.token(user({ roles: ['Dealer.d05'] }), { iss: 'https://issuer.example' }), 'iss of AUTH_JWT_*');
  await refused(await entra.token(user({ roles: ['Dealer.d05'] }), { iss: undefined }), 'no iss');
  await refused(await entra.token(user({ roles: ['Dealer.d05'] }), { iss: 'https://unknown.example' }), 'an unknown iss');
});

test('audience, algorithm and typ are those of the issuer', async () => {
  const { keycloak, cognito, google, auth0 } = servers;
  await refused(await keycloak.token(user({ dealers: ['d01'] }), { aud: APP }), 'audience of another issuer');
  await refused(await cognito.token(user({ groups: ['region-managers'] }), { client_id: 'other', aud: APP }), 'another client');
  await refused(await google.token(user({ domain: 'northgate.example' }), {}, { typ: 'at+jwt' }), 'typ');
  await refused(await auth0.token(user({ dealers: ['d06'] }), { exp: Math.floor(Date.now() / 1000) - 60 }), 'expired');
  const hs = jwt(JSON.stringify(auth0.key.jwk), { iss: auth0.issuer, aud: AUDIENCE, 'https://northgate.example/dealers': ['d06'] }, { kid: auth0.key.kid });
  await refused(hs, 'HS256 with the published key');
});

test('metadata is found both ways, once', () => {
  assert.deepEqual(servers.keycloak.asked.slice(0, 2), ['GET /realms/dealers/.well-known/openid-configuration', 'GET /keys']);
  assert.deepEqual(servers.auth0.asked.slice(0, 3), ['GET /.well-known/openid-configuration', 'GET /.well-known/oauth-authorization-server', 'GET /keys']);
});

test('a rotated key counts with the first token that names it, and the old one no more', async () => {
  const before = servers.entra.key;
  const old = await servers.entra.token(user({ roles: ['Dealer.d05'], sub: 'old' }));
  await servers.entra.rotate('k2');
  await opens(await servers.entra.token(user({ roles: ['Dealer.d05'] })), ['d05']);
  await refused(old, 'the old key');
  await refused(await servers.entra.token(user({ roles: ['Dealer.d05'] }), {}, {}, before), 'the old key again');
});

test('an issuer that is down is named and keeps nobody else out', async () => {
  const page = await shown(/^warn issuer down: no keys yet/m);
  assert.match(page, /^ok issuer keycloak: 1 keys, fetched /m);
  const token = await servers.keycloak.token(user({ dealers: ['d01'] }), { iss: `http://127.0.0.1:${downPort}` });
  const answer = await call(token);
  assert.equal(answer.status, 503, answer.raw);
  servers.google.broken = true; // its keys are held
  await opens(await servers.google.token(user({ email: 'bob@northgate.example', domain: 'northgate.example' })), ['d07']);
});

test('a changed file counts without a restart, a bad one leaves all as it was', async () => {
  const good = await servers.keycloak.token(user({ dealers: ['d08'] }));
  write({ issuers: [{ ...document().issuers[0], name: 'Bad Name' }] });
  await shown(/^warn config: changed files were refused/m);
  await opens(good, ['d08']);
  const changed = document();
  changed.issuers[0].rules = [{ claim: 'dealer_ids', role: 'group', dealers: ['d09'] }];
  write({ issuers: changed.issuers.filter((x) => x.name !== 'auth0') });
  await shown(/^ok config: number 2/m);
  assert.doesNotMatch(await readyz(), /issuer (down|auth0)/);
  await opens(await servers.keycloak.token(user({ dealers: ['d08'], sub: 'after' })), ['d09']);
  await refused(await servers.auth0.token(user({ dealers: ['d06'] })), 'an issuer that is gone');
});
