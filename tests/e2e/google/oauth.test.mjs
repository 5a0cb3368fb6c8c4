// The token endpoint under google-auth-library, and what bearers open.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { JWT, OAuth2Client } from 'google-auth-library';
import { startSim } from './sim.mjs';

let sim;
before(async () => { sim = await startSim(['--token-lifetime-s', '2']); });
after(() => sim.stop());

const MONTH = { dateRanges: [{ startDate: '28daysAgo', endDate: 'yesterday' }], metrics: [{ name: 'sessions' }] };
const form = (fields) => fetch(`${sim.base}/token`, { method: 'POST', body: new URLSearchParams(fields) });

test('the credential files are private', () => {
  for (const file of [sim.files.dealers, sim.files.key]) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a refresh token becomes an access token that opens the own property only', async () => {
  const [own, other] = sim.dealers;
  const client = sim.data(sim.auth(own));
  const [report] = await client.runReport({ property: sim.property(own), ...MONTH });
  assert.ok(Number(report.rows[0].metricValues[0].value) > 0);
  await assert.rejects(client.runReport({ property: sim.property(other), ...MONTH }), { code: 7 });
});

test('the token response has the fields of Google\'s', async () => {
  const { oauth } = sim.dealers[2];
  const answer = await form({ grant_type: 'refresh_token', client_id: oauth.client_id, client_secret: oauth.client_secret, refresh_token: oauth.refresh_token });
  const body = await answer.json();
  assert.equal(answer.status, 200);
  assert.match(body.access_token, /^ya29\./);
  assert.equal(body.expires_in, 2);
  assert.equal(body.token_type, 'Bearer');
  assert.equal(body.scope, 'https://www.googleapis.com/auth/analytics.readonly');
  assert.equal(body.refresh_token, undefined);
});

test('an expired token is UNAUTHENTICATED and a fresh one is issued', async () => {
  const dealer = sim.dealers[3];
  const auth = sim.auth(dealer);
  const { token } = await auth.getAccessToken();
  const call = () => fetch(`${sim.base}/v1beta/${sim.property(dealer)}/metadata`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await call()).status, 200);
  await sleep(2100);
  const late = await call();
  assert.equal(late.status, 401);
  assert.match(late.headers.get('www-authenticate'), /error="invalid_token"/);
  const [report] = await sim.data(auth).runReport({ property: sim.property(dealer), ...MONTH });
  assert.ok(report.rowCount === 1);
});

test('wrong credentials fail as at Google', async () => {
  const { oauth } = sim.dealers[0];
  const cases = [
    [{ client_id: oauth.client_id, client_secret: oauth.client_secret, refresh_token: '1//revoked' }, 400, 'invalid_grant'],
    [{ client_id: 'nobody', client_secret: 'x', refresh_token: oauth.refresh_token }, 401, 'invalid_client'],
    [{ client_id: oauth.client_id, client_secret: 'x', refresh_token: oauth.refresh_token }, 401, 'invalid_client'],
    [{ client_id: oauth.client_id, client_secret: oauth.client_secret }, 400, 'invalid_request'],
  ];
  for (const [fields, status, error] of cases) {
    const answer = await form({ grant_type: 'refresh_token', ...fields });
    assert.equal(answer.status, status);
    assert.equal((await answer.json()).error, error);
  }
  const answer = await form({ grant_type: 'magic' });
  assert.deepEqual(await answer.json(), { error: 'unsupported_grant_type', error_description: 'Invalid grant_type: magic' });
});

test('a revoked refresh token surfaces as invalid_grant in the library', async () => {
  const { oauth } = sim.dealers[0];
  const client = new OAuth2Client({ clientId: oauth.client_id, clientSecret: oauth.client_secret, endpoints: { oauth2TokenUrl: oauth.token_uri } });
  client.setCredentials({ refresh_token: '1//revoked' });
  await assert.rejects(client.getAccessToken(), /invalid_grant/);
});

test('no bearer: CREDENTIALS_MISSING with the challenge', async () => {
  const answer = await fetch(`${sim.base}/v1beta/${sim.property(sim.dealers[0])}:runReport`, { method: 'POST', body: '{}' });
  const { error } = await answer.json();
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="https://accounts.google.com/"');
  assert.equal(error.status, 'UNAUTHENTICATED');
  assert.equal(error.details[0].reason, 'CREDENTIALS_MISSING');
  assert.equal(error.details[0].metadata.method, 'google.analytics.data.v1beta.BetaAnalyticsData.RunReport');
});

test('unknown paths and wrong verbs are 404 pages', async () => {
  for (const [method, path] of [['GET', '/v1beta/nothing'], ['GET', `/v1beta/${sim.property(sim.dealers[0])}:runReport`], ['DELETE', '/v1beta/accountSummaries']]) {
    const answer = await fetch(sim.base + path, { method });
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get('content-type'), /^text\/html/);
  }
});

test('a service account works by self-signed JWT and by jwt-bearer grant', async () => {
  const key = JSON.parse(readFileSync(sim.files.key, 'utf8'));
  const scopes = ['https://www.googleapis.com/auth/analytics.readonly'];
  const auth = new JWT({ email: key.client_email, key: key.private_key, keyId: key.private_key_id, scopes });
  const [report] = await sim.data(auth).runReport({ property: sim.property(sim.dealers[9]), ...MONTH });
  assert.equal(report.rowCount, 1);

  const { createSign } = await import('node:crypto');
  const assertion = (claims) => {
    const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id })}.${part(claims)}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`;
  };
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: key.client_email, scope: scopes[0], aud: key.token_uri, iat: now, exp: now + 3600 };
  const grant = async (claims, break_ = '') => {
    const answer = await form({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(claims) + break_ });
    return answer.json();
  };
  const { access_token: token } = await grant(good);
  const metadata = await fetch(`${sim.base}/v1beta/${sim.property(sim.dealers[5])}/metadata`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(metadata.status, 200);
  assert.equal((await grant(good, 'AAAA')).error_description, 'Invalid JWT Signature.');
  assert.equal((await grant({ ...good, iss: 'x@y.iam.gserviceaccount.com' })).error_description, 'Invalid grant: account not found');
  assert.match((await grant({ ...good, exp: now + 7200 })).error_description, /short-lived token/);
  assert.equal((await grant({ ...good, iat: undefined })).error_description, 'Invalid JWT: iat (issued at) is not set.');
  assert.equal((await grant({ ...good, scope: '' })).error, 'invalid_scope');
  assert.equal((await grant({ ...good, aud: 'https://example.com' })).error_description, 'Invalid JWT: Failed audience check.');
});
