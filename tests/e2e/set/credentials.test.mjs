// Every source of credentials through the whole set: the dealer's own numbers come out, and when a
// credential fails the person at the assistant reads what happened, to which dealer and what to do,
// the other dealers' answers stand, and once the cause is mended the next call works.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inherited } from '../lib/child.mjs';
import { Mcp } from './mcp.mjs';
import { figuresOf } from './truth.mjs';
import { BUILD, daysBefore, startOverWorld, todayIn } from './world.mjs';

const KINDS = ['oauth', 'service_account', 'external_account', 'impersonated_service_account', 'adc'];
const NOWHERE = 'http://127.0.0.1:1'; // nothing listens there

let s, client, world, date_range, dealers, agencyKey;

const file = (name) => path.join(s.set.dir, name);
const entry = (id) => dealers.find((d) => d.dealer_id === id);
const kindOf = (d) => KINDS.find((kind) => d[kind]);

async function control(method, where, body) {
  const response = await fetch(s.set.sim + where, { method, body: body && JSON.stringify(body) });
  const answer = await response.json();
  assert.equal(response.status, 200, `${where}: ${answer.error}`);
  return answer;
}
const post = (where, body) => control('POST', where, body);

function writeSecret(name, content) {
  fs.writeFileSync(file(name), content, { mode: 0o600 });
  s.set.secrets.addFile(file(name));
  return name;
}

async function loads() {
  const metrics = await (await fetch(`${s.set.admin('auth')}/metrics`)).text();
  return Number(/^auth_config_reloads_total\{result="ok"\} (\d+)/m.exec(metrics)[1]);
}
async function untilLoadedAfter(before) {
  for (let i = 0; i < 500; i++) {
    if ((await loads()) > before) return;
    await sleep(20);
  }
  const ready = await (await fetch(`${s.set.admin('auth')}/readyz`)).text();
  assert.fail(`the dealers file was not loaded again: ${ready}`);
}
// The dealers file as it stands in `dealers`, in use.
async function save() {
  const count = await loads();
  s.set.secrets.addFile(s.set.dealersFile);
  fs.writeFileSync(s.set.dealersFile, JSON.stringify({ dealers }), { mode: 0o600 });
  s.set.secrets.addFile(s.set.dealersFile);
  await untilLoadedAfter(count);
}
async function change(id, edit) {
  edit(entry(id));
  await save();
}
// A new look at everything, as SIGHUP asks for.
async function reload() {
  const count = await loads();
  process.kill(s.set.pid('auth'), 'SIGHUP');
  await untilLoadedAfter(count);
}

const report = (id) => ({ dealer_id: id, metrics: ['sessions'], date_ranges: [date_range] });
const numbersOf = (id) => figuresOf(world, world.dealer(id), date_range).sessions;
async function works(id) {
  const answer = await client.data('run_report', report(id));
  assert.equal(answer.dealer_id, id);
  assert.equal(Number(answer.rows[0].metric_values[0].value), numbersOf(id), `sessions of ${id}`);
}
async function everyDealerWorks() {
  for (const d of dealers) await works(d.dealer_id);
}
// As after a restart of auth-svc: until the others have noticed.
async function untilWorks(id) {
  for (let i = 0; ; i++) {
    const answer = await client.call('run_report', report(id));
    if (!answer.isError) return works(id);
    if (i === 75) assert.fail(`still: ${answer.text}`);
    await sleep(200);
  }
}

before(async () => {
  s = await startOverWorld({
    sim: { credentialKinds: 'mixed' },
    env: {
      report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0, REPORT_LEASE_MS: 0 },
      auth: { AWS_EC2_METADATA_DISABLED: null, AUTH_TOKEN_TIMEOUT_MS: 5000 },
    },
  });
  world = s.world;
  ({ dealers } = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')));
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
  agencyKey = await post('/sim/service-accounts', { dealer_id: '*' });
  s.set.secrets.addJson(JSON.stringify(agencyKey));
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());
afterEach(async () => {
  await s.sim.clear();
  await post('/sim/clock', { offset_s: 0 });
});

describe('every kind of credential answers with the numbers of its dealer', () => {
  test('the file that the simulator writes, unchanged', async () => {
    assert.deepEqual([...new Set(dealers.map(kindOf))].sort(), KINDS.slice(0, 4).sort());
    await everyDealerWorks();
    const { totals } = await s.sim.stats();
    assert.ok(totals.imds_requests >= 4, 'AWS by the instance metadata, version 2');
    assert.equal(totals.metadata_requests, 0);
  });

  test('files of their own, self-signed tokens, federation without impersonation, default credentials', async () => {
    // Google's authorized_user file
    const { oauth } = entry('d01');
    entry('d01').oauth = { file: writeSecret('d01.user.json', JSON.stringify({ type: 'authorized_user', ...oauth })) };
    // a key file, by the grant and as the bearer itself; and the key in the dealers file
    writeSecret('d02.key.json', JSON.stringify(entry('d02').service_account));
    entry('d02').service_account = { file: 'd02.key.json' };
    writeSecret('d06.key.json', JSON.stringify(entry('d06').service_account));
    entry('d06').service_account = { file: 'd06.key.json', self_signed: true };
    entry('d10').service_account.self_signed = true;
    // federation: JSON file, URL and AWS without impersonation; a file of Google's
    delete entry('d07').external_account.service_account_impersonation_url;
    delete entry('d15').external_account.service_account_impersonation_url;
    delete entry('d11').external_account.service_account_impersonation_url;
    const { role } = await control('GET', '/sim/aws');
    await post('/sim/federation', { subject: role.arn, dealer_id: 'd11', impersonate: true, direct: true });
    fs.writeFileSync(file('d03.external.json'), JSON.stringify(entry('d03').external_account), { mode: 0o600 });
    entry('d03').external_account = { file: 'd03.external.json' };
    // impersonation from a federated identity, and in a file
    const { service_account_impersonation_url } = entry('d12').impersonated_service_account;
    const source = structuredClone(entry('d19').external_account);
    fs.writeFileSync(file('d12.token'), (await post('/sim/projected-token', { sub: 'system:serviceaccount:dealers:d12', expires_in: 3600 })).token, { mode: 0o600 });
    source.credential_source.file = file('d12.token');
    entry('d12').impersonated_service_account = { type: 'impersonated_service_account', service_account_impersonation_url, source_credentials: source };
    entry('d16').impersonated_service_account = { file: writeSecret('d16.json', JSON.stringify(entry('d16').impersonated_service_account)) };
    // default credentials
    delete entry('d24').impersonated_service_account;
    entry('d24').adc = true;
    s.set.changeEnv('auth', { GOOGLE_APPLICATION_CREDENTIALS: file(writeSecret('agency.json', JSON.stringify(agencyKey))) });
    fs.writeFileSync(s.set.dealersFile, JSON.stringify({ dealers }), { mode: 0o600 });
    await s.sim.resetStats();
    await s.set.restart('auth');
    await untilWorks('d01');
    await everyDealerWorks();
    const { accounts } = await s.sim.stats();
    const asked = (id, what) => accounts[world.dealer(id).account_id]?.[what] ?? 0;
    assert.equal(asked('d06', 'token_requests') + asked('d10', 'token_requests'), 0, 'self-signed: nobody is asked');
    for (const id of ['d07', 'd15', 'd11', 'd19']) assert.deepEqual([asked(id, 'sts_issued'), asked(id, 'iam_requests')], [1, 0], id);
    for (const id of ['d03', 'd12']) assert.deepEqual([asked(id, 'sts_issued'), asked(id, 'iam_issued')], [1, 1], id);
    assert.equal(asked('d01', 'tokens_issued'), 1);
  });

  test('AWS keys of the environment', async () => {
    const { role, region } = await control('GET', '/sim/aws');
    s.set.changeEnv('auth', { AWS_REGION: region, AWS_ACCESS_KEY_ID: role.access_key_id });
    s.set.changeEnv('auth', { AWS_SECRET_ACCESS_KEY: role.secret_access_key, AWS_SESSION_TOKEN: role.session_token });
    entry('d11').external_account.service_account_impersonation_url = entry('d20').impersonated_service_account.service_account_impersonation_url.replace(/d20-/, 'd11-');
    fs.writeFileSync(s.set.dealersFile, JSON.stringify({ dealers }), { mode: 0o600 });
    await s.sim.resetStats();
    await s.set.restart('auth');
    await untilWorks('d11');
    const { totals, accounts } = await s.sim.stats();
    assert.equal(totals.imds_requests, 0);
    assert.equal(accounts[world.dealer('d11').account_id].iam_issued, 1, 'with impersonation');
    // Not given to the set's scan: AWS's variables stay in the environment, as its own tools have them.
    const { stdout, stderr } = s.set.output('auth');
    for (const secret of [role.secret_access_key, role.session_token]) assert.ok(!(stdout + stderr).includes(secret));
    s.set.changeEnv('auth', { AWS_REGION: null, AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null, AWS_SESSION_TOKEN: null });
    await s.set.restart('auth');
    await untilWorks('d11');
  });
});

// Google stops taking the current access token, so that a new one is asked for.
const endToken = (id) => s.sim.fault({ dealer_id: id, kind: '401', times: 1, endpoint: 'report' });

// A credential fails: the text of a report, the status in an answer over dealers, then mended.
// What the operator does about it stands in the log; a dealer's assistant reads what a dealer can do.
const FOR_DEALER = /must re-consent \(\w+\): somebody .* must sign in again|sign-in with Google fails \(\w+\), which the dealer cannot fix: tell the operator|cannot sign in to Google for now \(\w+\); if this persists, tell the operator/;
function inLog(id) {
  const { account_id } = world.dealer(id);
  return s.set.output('auth').stderr.split('\n').filter((line) => line.includes('access token not obtained'))
    .map((line) => JSON.parse(line)).filter((line) => line.account_id === account_id).at(-1)?.error ?? '';
}

async function fails(id, { reason, text: operators, bystanders = ['d14', 'd22'] }) {
  const name = world.dealer(id).name;
  const said = await client.refused('run_report', report(id));
  const text = FOR_DEALER.test(said) ? FOR_DEALER : operators;
  assert.match(said, text);
  assert.doesNotMatch(said, /dealers file|AUTH_|client_secret|token_uri|credential_source/);
  if (text === FOR_DEALER) assert.match(inLog(id), operators);
  assert.ok(said.includes(name), `names the dealer: ${said}`);
  assert.doesNotMatch(said, /restart|ya29\.|1\/\/|GOCSPX|eyJ|BEGIN/);
  const across = await client.data('run_report_across_dealers', { dealer_ids: [id, ...bystanders], metrics: ['sessions'], date_range });
  assert.deepEqual(across.coverage.failed.map((f) => [f.dealer_id, f.reason]), [[id, reason]], JSON.stringify(across.coverage));
  assert.match(across.coverage.failed[0].message, text);
  assert.deepEqual(across.dealers.map((d) => [d.dealer_id, d.rows[0].metric_values[0]]).sort(), bystanders.map((b) => [b, numbersOf(b)]));
}

describe('a credential that fails is reported, to which dealer, with what to do; mended, it works', () => {
  test('refresh token revoked', async () => {
    await works('d05');
    const { account_id } = world.dealer('d05');
    await post('/sim/revocation', { account_id, revoked: true });
    await fails('d05', { reason: 'invalid_grant', text: /dealer must re-consent: 127\.0\.0\.1:\d+ refused the refresh token \(Token has been expired or revoked\.\); put the new refresh token into the dealers file, which is read again by itself/ });
    const page = async () => (await fetch(`${s.set.admin('auth')}/readyz`)).text();
    assert.match(await page(), /^warn accounts: 1 need re-consent; the log names them$/m);
    const named = s.set.output('auth').stderr.split('\n').filter((line) => line.includes('not in good standing') && line.includes(`"account_id":"${account_id}"`));
    assert.equal(named.length, 1, 'once for the change of its state');
    const { refresh_token } = await post('/sim/consent', { account_id });
    await change('d05', (d) => { d.oauth.refresh_token = refresh_token; });
    await works('d05');
    assert.match(await page(), /^ok accounts: 0 need re-consent$/m);
  });

  test('Analytics unticked at the consent', async () => {
    const { account_id } = world.dealer('d17');
    const unticked = await post('/sim/consent', { account_id, scope: 'openid' });
    await change('d17', (d) => { d.oauth.refresh_token = unticked.refresh_token; });
    await fails('d17', { reason: 'missing_scope', text: /re-consent: .*does not cover Google Analytics \(analytics\.readonly was unticked or never asked for\); put the new refresh token into the dealers file/ });
    const { refresh_token } = await post('/sim/consent', { account_id });
    await change('d17', (d) => { d.oauth.refresh_token = refresh_token; });
    await works('d17');
  });

  test('OAuth client deleted', async () => {
    await works('d09');
    const { account_id } = world.dealer('d09');
    await post('/sim/clients', { account_id, state: 'deleted' });
    await endToken('d09');
    await fails('d09', { reason: 'deleted_client', text: /refused this installation \(The OAuth client was deleted\.\); check client_id and client_secret of the OAuth client; the dealer's consent is not the cause/ });
    await post('/sim/clients', { account_id, state: 'active' });
    await reload();
    await works('d09');
  });

  test('client secret wrong', async () => {
    const { client_secret } = entry('d13').oauth;
    await change('d13', (d) => { d.oauth.client_secret = 'GOCSPX-of-another-client'; });
    await fails('d13', { reason: 'invalid_client', text: /invalid_client: .* refused this installation \(Unauthorized\); check client_id and client_secret/ });
    await change('d13', (d) => { d.oauth.client_secret = client_secret; });
    await works('d13');
  });

  test('service-account key disabled, by the grant', async () => {
    await works('d02');
    await post('/sim/service-accounts', { dealer_id: 'd02', state: 'key_deleted' });
    await endToken('d02');
    await fails('d02', { reason: 'credential_refused', text: /refused the service account's assertion: invalid_grant \(Invalid JWT Signature\.\); check the service account's key and the clock/ });
    await post('/sim/service-accounts', { dealer_id: 'd02', state: 'active' });
    await reload();
    await works('d02');
  });

  test('service-account key disabled, self-signed', async () => {
    await works('d06');
    await post('/sim/service-accounts', { dealer_id: 'd06', state: 'key_deleted' });
    await fails('d06', { reason: 'unauthenticated', text: /Google refused the dealer's access token, also after it was renewed; .*re-consent, or, with a service account, its key or the clock/ });
    await post('/sim/service-accounts', { dealer_id: 'd06', state: 'active' });
    await works('d06');
  });

  test('the clock is wrong: assertion, projected token and AWS request are refused', async () => {
    const cases = [
      ['d18', 7200, /Invalid JWT: Token must be a short-lived token .*; check the service account's key and the clock of this machine/],
      ['d19', 100_000, /Google STS .* refused the projected token: invalid_grant \(ID Token issued at \d+ is stale to sign-in\.\); .*that the token's file is renewed/],
      ['d11', 7200, /refused the signed AWS request: invalid_grant \(.*Signature expired.*\); .*the clock of this machine/],
    ];
    for (const [id] of cases) await works(id);
    for (const [id, offset_s, text] of cases) {
      await post('/sim/clock', { offset_s });
      await endToken(id);
      await fails(id, { reason: 'credential_refused', text });
    }
    await post('/sim/clock', { offset_s: 0 });
    await reload();
    for (const [id] of cases) await works(id);
  });

  test('the pool does not know the audience', async () => {
    const { audience } = entry('d23').external_account;
    await change('d23', (d) => { d.external_account.audience = audience.replace(/providers\/.*/, 'providers/gone'); });
    await fails('d23', { reason: 'invalid_target', text: /Google STS .* refused the projected token: invalid_target \(The target service indicated by the "audience" parameters is invalid\..*check audience against the pool's provider/ });
    await change('d23', (d) => { d.external_account.audience = audience; });
    await works('d23');
  });

  test('the permission to impersonate is missing', async () => {
    await works('d03');
    const subject = 'system:serviceaccount:dealers:d03';
    await post('/sim/federation', { subject, dealer_id: 'd03', impersonate: false, direct: false });
    await endToken('d03');
    await fails('d03', { reason: 'credential_refused', text: /IAM Credentials .* refused to impersonate d03-reports@.*permission_denied \(Permission 'iam\.serviceAccounts\.getAccessToken' denied.*roles\/iam\.workloadIdentityUser/ });
    await post('/sim/federation', { subject, dealer_id: 'd03', impersonate: true, direct: true });
    await reload();
    await works('d03');
  });

  test('the user who impersonates has revoked the consent', async () => {
    await works('d20');
    await post('/sim/revocation', { account_id: 'operator', revoked: true });
    await endToken('d20');
    await fails('d20', { reason: 'invalid_grant', text: /the user of source_credentials must re-consent: .*put the new refresh token into the dealers file/ });
    const { refresh_token } = await post('/sim/consent', { account_id: 'operator' });
    for (const d of dealers) {
      const source = d.impersonated_service_account?.source_credentials;
      if (source?.type === 'authorized_user') source.refresh_token = refresh_token;
    }
    await save();
    await works('d20');
    await works('d04');
  });

  test('the instance metadata of AWS cannot be reached, and refuses', async () => {
    const source = structuredClone(entry('d11').external_account.credential_source);
    await change('d11', (d) => {
      const at = d.external_account.credential_source;
      for (const key of ['region_url', 'url', 'imdsv2_session_token_url']) at[key] = at[key].replace(s.set.sim, NOWHERE);
    });
    await fails('d11', { reason: 'aws_metadata_unavailable', text: /AWS metadata 127\.0\.0\.1:1, asked for its session token \(IMDSv2\), could not be reached; in a container allow a hop limit of 2, or set AWS_REGION/ });
    await s.sim.fault({ dealer_id: '*', kind: '401', endpoint: 'imds' });
    await change('d11', (d) => { d.external_account.credential_source = source; });
    await fails('d11', { reason: 'aws_metadata_refused', text: /AWS metadata .* answered HTTP 401; in a container allow a hop limit of 2/ });
    await s.sim.clear();
    await reload();
    await works('d11');
  });

  test('the projected token is missing, expired, empty', async () => {
    await works('d23');
    const token = entry('d23').external_account.credential_source.file;
    const good = fs.readFileSync(token);
    fs.rmSync(token);
    await endToken('d23');
    await fails('d23', { reason: 'subject_token_unreadable', text: /credential_source\.file: cannot open \S*d23\.token: No such file or directory; is the volume of the projected token mounted\?/ });
    const { token: expired } = await post('/sim/projected-token', { sub: 'system:serviceaccount:dealers:d23', expires_in: -7200 });
    fs.writeFileSync(token, expired, { mode: 0o600 });
    await reload();
    await fails('d23', { reason: 'credential_refused', text: /refused the projected token: invalid_grant \(ID Token issued at \d+ is stale to sign-in\.\).*that the token's file is renewed/ });
    fs.writeFileSync(token, '\n', { mode: 0o600 });
    await reload();
    await fails('d23', { reason: 'subject_token_unusable', text: /d23\.token \(credential_source\.file\) is empty/ });
    fs.writeFileSync(token, good, { mode: 0o600 });
    await reload();
    await works('d23');
  });

  test("the token's URL is wrong", async () => {
    const { url } = entry('d15').external_account.credential_source;
    await change('d15', (d) => { d.external_account.credential_source.url = `${s.set.sim}/sim/none`; });
    await fails('d15', { reason: 'subject_token_refused', text: /the token's endpoint 127\.0\.0\.1:\d+ \(credential_source\.url\) answered HTTP 404; check credential_source\.url and its headers/ });
    await change('d15', (d) => { d.external_account.credential_source.url = url; });
    await works('d15');
  });

  test('a fault of all Google is reported as one that passes', async () => {
    await change('d21', (d) => { d.oauth.token_uri = `${NOWHERE}/token`; });
    await fails('d21', { reason: 'token_endpoint_unavailable', text: /token endpoint 127\.0\.0\.1:1 could not be reached/ });
    await change('d21', (d) => { d.oauth.token_uri = entry('d05').oauth.token_uri; });
    await works('d21');
  });

  test('auth-svc check says the same, for every kind', async () => {
    const env = {
      ...inherited(),
      GA_CREDENTIALS_PATH: s.set.dealersFile,
      GOOGLE_APPLICATION_CREDENTIALS: file('agency.json'),
      GA4_DATA_ENDPOINT: s.set.sim,
      GA4_ADMIN_ENDPOINT: s.set.sim,
    };
    const check = (id) =>
      new Promise((resolve) => {
        execFile(path.join(BUILD, 'bin/auth-svc'), ['check', id], { env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, text: stdout + stderr }));
      });
    // one of each kind and source
    for (const id of ['d01', 'd02', 'd06', 'd03', 'd07', 'd11', 'd15', 'd04', 'd12', 'd16', 'd24']) {
      const { code, text } = await check(id);
      assert.equal(code, 0, `${id}: ${text}`);
      assert.match(text, /^ok +runReport/m, id);
    }
    await post('/sim/federation', { subject: 'system:serviceaccount:dealers:d03', dealer_id: 'd03', impersonate: false, direct: false });
    const { code, text } = await check('d03');
    assert.equal(code, 1);
    assert.match(text, /^FAILED  access token +IAM Credentials .* refused to impersonate d03-reports@.*\(credential_refused\)$/m);
    assert.match(text, /what to do: +docs\/OAUTH_SETUP\.md, section 7, has a line for credential_refused/);
    await post('/sim/federation', { subject: 'system:serviceaccount:dealers:d03', dealer_id: 'd03', impersonate: true, direct: true });
  });

  test('afterwards every dealer answers', everyDealerWorks);
});

// Without a dealers file: one credential, properties by number.
describe('Application Default Credentials', () => {
  const byProperty = (id) => ({ property_id: String(world.dealer(id).property_id), metrics: ['sessions'], date_ranges: [date_range] });
  const reads = async (id) => {
    const answer = await client.data('run_report', byProperty(id));
    assert.equal(Number(answer.rows[0].metric_values[0].value), numbersOf(id));
  };
  async function begin(env, probe = 'd01') {
    s.set.changeEnv('auth', { GA_CREDENTIALS_PATH: null, GOOGLE_APPLICATION_CREDENTIALS: null, HOME: s.set.dir, ...env });
    await s.set.restart('auth');
    for (let i = 0; i < 75; i++) {
      if (!(await client.call('run_report', byProperty(probe))).isError) return;
      await sleep(200);
    }
    await reads(probe);
  }

  test('the metadata server, and one that is none', async () => {
    await begin({ GCE_METADATA_HOST: new URL(s.set.sim).host });
    await reads('d01');
    await reads('d08');
    assert.ok((await s.sim.stats()).totals.metadata_issued >= 1);
    await s.sim.fault({ dealer_id: '*', kind: 'no_flavor', endpoint: 'metadata' });
    await endToken('d08');
    const text = await client.refused('run_report', byProperty('d08'));
    assert.match(text, /metadata server 127\.0\.0\.1:\d+ answered without "Metadata-Flavor: Google": it is not a metadata server; check GCE_METADATA_HOST, or set GOOGLE_APPLICATION_CREDENTIALS/);
    await s.sim.clear();
    await reload();
    await reads('d08');
  });

  test("gcloud's file, of a user and of a service account", async () => {
    const user = { type: 'authorized_user', ...entry('d05').oauth };
    writeSecret('application_default_credentials.json', JSON.stringify(user));
    await begin({ CLOUDSDK_CONFIG: s.set.dir, GCE_METADATA_HOST: null, NO_GCE_CHECK: 'true', HOME: '/nonexistent' }, 'd05');
    await reads('d05');
    const refused = await client.refused('run_report', byProperty('d01'));
    assert.match(refused, /Viewer|denies access/);
    await begin({ GOOGLE_APPLICATION_CREDENTIALS: file('agency.json'), CLOUDSDK_CONFIG: null });
    await reads('d01');
    await reads('d24');
  });

  test('none at all, where that is allowed: tools are listed, and a call says what is missing', async () => {
    s.set.changeEnv('auth', { GOOGLE_APPLICATION_CREDENTIALS: null, AUTH_ALLOW_NO_CREDENTIALS: 'true' });
    await s.set.restart('auth');
    let text;
    for (let i = 0; i < 75 && !/no credentials/.test(text); i++) {
      text = await client.refused('run_report', byProperty('d01')).catch((error) => error.message);
      await sleep(200);
    }
    assert.match(text, /this server has no credentials for Google: start it with a dealers file, or with GOOGLE_APPLICATION_CREDENTIALS/);
    assert.deepEqual((await client.data('list_dealers', {})).dealers, []);
    // Else the start ends, and so does one whose file is wrong.
    const started = (env) =>
      new Promise((resolve) => {
        const options = { env: { ...inherited(), HOME: '/nonexistent', NO_GCE_CHECK: 'true', ENABLE_AUTH: 'false', GRPC_LISTEN: '127.0.0.1:0', ADMIN_LISTEN: 'off', ...env }, cwd: s.set.dir };
        execFile(path.join(BUILD, 'bin/auth-svc'), [], options, (error, _, stderr) => resolve({ code: error?.code, stderr }));
      });
    for (const env of [{}, { AUTH_ALLOW_NO_CREDENTIALS: 'true', GOOGLE_APPLICATION_CREDENTIALS: file('missing.json') }]) {
      const { code, stderr } = await started(env);
      assert.equal(code, 78, stderr);
      assert.match(stderr, /^auth-svc: no dealers file .* and no credentials beside it/m);
    }
  });
});

// In containers the simulator has a name of its own; curl takes every name under localhost for loopback.
describe('a simulator under another name, over plain http', () => {
  const sim = { credentialKinds: 'mixed', publicUrl: (base) => base.replace('127.0.0.1', 'ga4-sim.localhost') };
  const start = (auth) => startOverWorld({ sim, only: ['sim', 'auth', 'report', 'gateway'], env: { auth } });

  test('is refused, with the setting that would allow it', async () => {
    const error = await start({}).then(assert.fail, (e) => e);
    assert.match(error.message, /auth ended by itself: exit code 78[\s\S]*dealers\[0\]\.oauth\.token_uri \(dealer "d01"\): must be an https URL: secrets would travel in the clear to ga4-sim\.localhost \(plain http is for loopback, and for a simulator that AUTH_ALLOW_HTTP_TOKEN_HOST names\)/);
    fs.rmSync(/^The set's files are in (\S+)$/m.exec(error.message)[1], { recursive: true });
  });

  test('works with that setting, with a warning, and for that name only', async () => {
    const other = await start({ AUTH_ALLOW_HTTP_TOKEN_HOST: 'ga4-sim.localhost' });
    try {
      const asked = await Mcp.connect(other.set.url);
      for (const d of other.world.dealers) {
        const answer = await asked.data('run_report', report(d.dealer_id));
        assert.equal(Number(answer.rows[0].metric_values[0].value), numbersOf(d.dealer_id), d.dealer_id);
      }
      const log = other.set.output('auth').stderr;
      assert.match(log, /"level":"warn".*AUTH_ALLOW_HTTP_TOKEN_HOST: .*UNENCRYPTED.*"host":"ga4-sim\.localhost"/);
      const { totals } = await other.sim.stats();
      assert.ok(totals.imds_requests > 0, 'metadata of the cloud too');
    } finally {
      await other.stop();
    }
  });
});
