// Google's own authentication library through every kind of credentials, against the simulator.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { readFileSync, statSync } from 'node:fs';
import { createPublicKey, sign, verify } from 'node:crypto';
import { GoogleAuth, Impersonated, OAuth2Client } from 'google-auth-library';
import { startSim } from './sim.mjs';

const SCOPES = ['https://www.googleapis.com/auth/analytics.readonly'];
const PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';
const QUERY = { dateRanges: [{ startDate: '28daysAgo', endDate: 'yesterday' }], metrics: [{ name: 'sessions' }] };
const KINDS = ['oauth', 'service_account', 'external_account', 'impersonated_service_account'];

let sim;
before(async () => { sim = await startSim(['--credential-kinds', 'mixed']); });
afterEach(() => sim.calm());
after(async () => assert.deepEqual(await sim.stop(), { code: 0, signal: null }));

const stats = async () => (await sim.control('GET', '/sim/stats')).body;
const of = (kind, fits = () => true) => sim.dealers.filter((d) => d[kind] && fits(d[kind]));
const client = (credentials) => new GoogleAuth({ scopes: SCOPES }).fromJSON(credentials);
const read = async (auth, dealer) => {
  const [report] = await sim.data(auth).runReport({ property: sim.property(dealer), ...QUERY });
  return report.rowCount;
};
// What the library builds of a dealer's entry.
const clientOf = (dealer) => {
  if (dealer.oauth) return sim.auth(dealer);
  const auth = client(dealer.service_account ?? dealer.external_account);
  auth.scopes = SCOPES;
  return auth;
};
// A service account's own key at the token endpoint: the library has Google's endpoint built in.
const accessToken = async (key, scope) => {
  const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'RS256', kid: key.private_key_id })}.${part({ iss: key.client_email, scope, aud: key.token_uri, iat: now, exp: now + 3600 })}`;
  const assertion = `${text}.${sign('sha256', Buffer.from(text), key.private_key).toString('base64url')}`;
  const answer = await fetch(key.token_uri, { method: 'POST', body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }) });
  return (await answer.json()).access_token;
};
const impersonated = async ({ impersonated_service_account: c }) => {
  const source = c.source_credentials;
  const sourceClient = new OAuth2Client({ clientId: source.client_id, clientSecret: source.client_secret, endpoints: { oauth2TokenUrl: source.token_uri } });
  sourceClient.setCredentials(source.type === 'authorized_user'
    ? { refresh_token: source.refresh_token }
    : { access_token: await accessToken(source, 'https://www.googleapis.com/auth/cloud-platform') });
  const auth = new Impersonated({
    sourceClient, targetPrincipal: /serviceAccounts\/([^:]+):/.exec(c.service_account_impersonation_url)[1], targetScopes: SCOPES, lifetime: 3600, delegates: c.delegates,
  });
  auth.endpoint = sim.base;
  return auth;
};

test('dealers.json has each kind, one per dealer', () => {
  for (const dealer of sim.dealers) assert.equal(KINDS.filter((k) => dealer[k]).length, 1);
  for (const kind of KINDS) assert.equal(of(kind).length, 6);
  assert.equal(statSync(sim.files.dealers).mode & 0o777, 0o600);
});

for (const kind of ['oauth', 'service_account', 'external_account']) {
  test(`${kind}: every such dealer reads its own property and no other`, async () => {
    for (const dealer of of(kind)) {
      const auth = clientOf(dealer);
      assert.equal(await read(auth, dealer), 1, dealer.dealer_id);
      const other = sim.dealers[(sim.dealers.indexOf(dealer) + 1) % sim.dealers.length];
      await assert.rejects(read(auth, other), (e) => e.code === 7);
    }
  });
}

test('impersonated_service_account: from a user and from a service account', async () => {
  for (const dealer of of('impersonated_service_account')) {
    const auth = await impersonated(dealer);
    assert.equal(await read(auth, dealer), 1, dealer.dealer_id);
    const other = sim.dealers[0];
    await assert.rejects(read(auth, other), (e) => e.code === 7);
  }
  const { totals, accounts } = await stats();
  assert.equal(totals.iam_issued, 6);
  for (const dealer of of('impersonated_service_account'))
    assert.equal(accounts[dealer.account_id].iam_issued, 1);
});

test('the external sources are a text file, a JSON file, AWS, a URL, and one without impersonation', () => {
  const sources = of('external_account').map((d) => d.external_account.credential_source);
  assert.equal(sources.filter((s) => s.file && s.format.type === 'text').length, 3);
  assert.equal(sources.filter((s) => s.file && s.format.type === 'json').length, 1);
  assert.equal(sources.filter((s) => s.environment_id === 'aws1').length, 1);
  assert.equal(sources.filter((s) => s.url && !s.environment_id).length, 1);
  for (const { file } of sources.filter((s) => s.file)) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(of('external_account', (c) => !c.service_account_impersonation_url).length, 1);
});

// Names under googleapis.com led to the simulator, as a name server could: the library has some of them
// built in. Client and credential file stay as they are.
const ledHere = (auth) => {
  auth.transporter.interceptors.request.add({
    resolved: async (config) => {
      const url = new URL(config.url);
      if (url.hostname.endsWith('.googleapis.com')) config.url = new URL(url.pathname + url.search, sim.base);
      return config;
    },
  });
  if (auth.sourceClient) ledHere(auth.sourceClient);
  return auth;
};
// The library asks with the same scopes for the source of an impersonation, which needs another one.
const tokenOf = async (json) => {
  const scopes = json.type === 'impersonated_service_account' ? [...SCOPES, PLATFORM] : SCOPES;
  return (await ledHere(new GoogleAuth({ scopes }).fromJSON(json)).getAccessToken()).token;
};
const bearing = (token) => {
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: token });
  return auth;
};
const credentialOf = (d) => d.oauth ? { type: 'authorized_user', ...d.oauth } : d.service_account ?? d.external_account ?? d.impersonated_service_account;

test('every credential as it was written gives the library a token that reads', async () => {
  for (const dealer of sim.dealers) {
    const token = await tokenOf(credentialOf(dealer));
    assert.match(token, /^ya29\./, dealer.dealer_id);
    assert.equal(await read(bearing(token), dealer), 1, dealer.dealer_id);
  }
  const agency = JSON.parse(readFileSync(sim.files.key, 'utf8'));
  assert.equal(await read(bearing(await tokenOf(agency)), sim.dealers[0]), 1);
});

test('a consent without Analytics gives a token that reads nothing', async () => {
  const [, dealer] = of('oauth');
  const { account_id } = dealer;
  const { body } = await sim.control('POST', '/sim/consent', { account_id, scope: 'openid' });
  const token = await tokenOf({ ...credentialOf(dealer), refresh_token: body.refresh_token });
  await assert.rejects(read(bearing(token), dealer), /insufficient authentication scopes/);
  const { body: again } = await sim.control('POST', '/sim/consent', { account_id });
  assert.equal(await read(bearing(await tokenOf({ ...credentialOf(dealer), refresh_token: again.refresh_token })), dealer), 1);
  // the consent before that is good still
  assert.equal(await read(sim.auth(dealer), dealer), 1);
});

test('a clock that is wrong refuses what was signed by it', async () => {
  const [signer] = of('service_account');
  const [aws] = of('external_account', (c) => c.credential_source.environment_id);
  await sim.control('POST', '/sim/clock', { offset_s: 7200 });
  try {
    await assert.rejects(tokenOf(signer.service_account), /short-lived token \(60 minutes\) and in a reasonable timeframe/);
    await assert.rejects(read(clientOf(signer), signer), (e) => e.code === 16);
    await assert.rejects(tokenOf(aws.external_account), /Signature expired/);
  } finally {
    await sim.control('POST', '/sim/clock', { offset_s: 0 });
  }
  assert.equal(await read(clientOf(signer), signer), 1);
});

test('one exchange and one impersonation serve many reads', async () => {
  const [dealer] = of('external_account', (c) => c.service_account_impersonation_url && c.credential_source.file);
  const auth = clientOf(dealer);
  for (let i = 0; i < 3; i++) assert.equal(await read(auth, dealer), 1);
  const account = (await stats()).accounts[dealer.account_id];
  assert.deepEqual([account.sts_requests, account.sts_issued, account.iam_requests, account.iam_issued], [1, 1, 1, 1]);
});

test('AWS credentials of the environment sign too', async () => {
  const [dealer] = of('external_account', (c) => c.credential_source.environment_id);
  const { body: { role, region } } = await sim.control('GET', '/sim/aws');
  const names = { AWS_REGION: region, AWS_ACCESS_KEY_ID: role.access_key_id, AWS_SECRET_ACCESS_KEY: role.secret_access_key, AWS_SESSION_TOKEN: role.session_token };
  Object.assign(process.env, names);
  try {
    assert.equal(await read(clientOf(dealer), dealer), 1);
    assert.equal((await stats()).totals.imds_requests, 0);
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    await assert.rejects(read(clientOf(dealer), dealer), /SignatureDoesNotMatch/);
  } finally {
    for (const name of Object.keys(names)) delete process.env[name];
  }
});

test('the metadata server ends Application Default Credentials', async () => {
  const names = { GCE_METADATA_HOST: new URL(sim.base).host, METADATA_SERVER_DETECTION: 'assume-present', CLOUDSDK_CONFIG: '/nonexistent', HOME: '/nonexistent' };
  const kept = { ...process.env };
  Object.assign(process.env, names);
  try {
    const auth = await new GoogleAuth({ scopes: SCOPES }).getClient();
    assert.equal(auth.constructor.name, 'Compute');
    assert.equal(await read(auth, sim.dealers[0]), 1);
    assert.ok((await stats()).totals.metadata_issued >= 1);
    await sim.fault({ dealer_id: '*', kind: 'no_flavor' });
    await assert.rejects(new GoogleAuth({ scopes: SCOPES }).getClient().then((c) => c.getAccessToken()), /Metadata-Flavor/);
  } finally {
    for (const name of Object.keys(names)) if (kept[name] === undefined) delete process.env[name]; else process.env[name] = kept[name];
  }
});

test('a refusal of the exchange reaches the library with its words', async () => {
  const [dealer] = of('external_account', (c) => c.credential_source.file);
  await sim.fault({ dealer_id: '*', kind: 'invalid_target', endpoint: 'sts', times: 1 });
  await assert.rejects(read(clientOf(dealer), dealer), /invalid_target/);
  const wrong = { ...dealer.external_account, audience: dealer.external_account.audience.replace('dealers', 'gone') };
  await assert.rejects(read(client(wrong), dealer), /The target service indicated by the "audience" parameters is invalid/);
});

test('an impersonation that is not permitted is a 403', async () => {
  const [one, two] = of('external_account', (c) => c.credential_source.file && c.service_account_impersonation_url);
  const crossed = { ...one.external_account, service_account_impersonation_url: two.external_account.service_account_impersonation_url };
  await assert.rejects(read(client(crossed), two), /iam\.serviceAccounts\.getAccessToken/);
});

test('a rotated refresh token replaces the one before', async () => {
  const [dealer] = of('oauth');
  const { client_id, client_secret, refresh_token } = dealer.oauth;
  await sim.control('POST', '/sim/rotation', { account_id: dealer.account_id, old_valid_s: 0 });
  const answer = await fetch(dealer.oauth.token_uri, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', client_id, client_secret, refresh_token }) });
  const rotated = (await answer.json()).refresh_token;
  assert.notEqual(rotated, refresh_token);
  // Google's library keeps the token it was given, so it stands for a client that stores nothing.
  await assert.rejects(sim.auth(dealer).getAccessToken(), /invalid_grant/);
  assert.equal(await read(sim.auth({ oauth: { ...dealer.oauth, refresh_token: rotated } }), dealer), 1);
});

test('minted tokens verify under the published keys', async () => {
  const { body: { keys } } = await sim.control('GET', '/sim/jwks');
  for (const [alg, hash, options] of [['RS256', 'sha256', {}], ['ES256', 'sha256', { dsaEncoding: 'ieee-p1363' }], ['EdDSA', null, {}]]) {
    const { body: { token } } = await sim.control('POST', '/sim/mint-jwt', { alg, claims: { sub: 'someone' } });
    const [header, claims, signature] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url'));
    const key = createPublicKey({ key: keys.find((k) => k.kid === kid), format: 'jwk' });
    assert.ok(verify(hash, Buffer.from(`${header}.${claims}`), { key, ...options }, Buffer.from(signature, 'base64url')), alg);
  }
});

test('key files outlive a restart of the same world', async () => {
  const key = JSON.parse(readFileSync(sim.files.key, 'utf8'));
  const kept = JSON.parse(readFileSync(`${sim.files.db}.keys.json`, 'utf8'));
  assert.equal(kept['service-account/agency'], key.private_key);
});
