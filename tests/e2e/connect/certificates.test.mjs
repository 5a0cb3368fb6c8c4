// The steps of a consent over mutual TLS with real certificates: the gateway's takes them, and no other
// service's or consumer's does (AUTH_GATEWAY_IDENTITY).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { Authority, SERVICES } from '../set/certificates.mjs';
import { startStage } from './stage.mjs';

// What a caller would need to connect a website in somebody's place.
const STEPS = {
  ShowInvite: { token: 'x'.repeat(43) },
  StartConsent: { token: 'x'.repeat(43) },
  ReceiveConsent: { session: 'x'.repeat(43), state: 'y', code: 'z' },
  ShowConsent: { session: 'x'.repeat(43) },
  FinishConsent: { session: 'x'.repeat(43), property_id: '1' },
};

describe('with certificates', () => {
  let authority, s;
  before(async () => {
    authority = new Authority([...SERVICES, 'nightly-export']);
    const tls = (name) => authority.tls(name);
    s = await startStage({ env: { auth: tls('auth-svc'), report: tls('report-svc'), aggregate: tls('aggregate-svc'), gateway: tls('gateway') } });
  });
  after(async () => {
    await s?.stop();
    authority?.remove();
  });
  const connectOf = (who) => authority.clientOf('analytics.auth.v1', s.set.grpc('auth'), who, 'connect');

  test('a dealer connects through the gateway, whose certificate is the one that may', async () => {
    const d = s.dealer();
    assert.match((await s.walker().connect(d, s.invite(d))).text, /is connected<\/h1>/);
    assert.equal(s.connections().get(d.dealer_id), 'ok');
    const call = connectOf('gateway');
    for (const [step, request] of Object.entries(STEPS)) {
      const { code, reason } = await call(step, request);
      assert.equal(code, grpc.status.NOT_FOUND, step);
      assert.match(reason, /^(invite|session)_over$/, step);
    }
  });

  for (const who of ['report-svc', 'aggregate-svc', 'auth-svc', 'nightly-export'])
    test(`no step is taken for the certificate of ${who}, not even with a good link`, async () => {
      const d = s.dealer(), token = new URL(s.invite(d)).searchParams.get('invite'), call = connectOf(who);
      for (const [step, request] of Object.entries(STEPS)) {
        const { code, reason, message } = await call(step, request.token ? { ...request, token } : request);
        assert.equal(code, grpc.status.PERMISSION_DENIED, step);
        assert.equal(reason, 'wrong_service', step);
        assert.match(message, /for the service "gateway" only/);
      }
      assert.match(s.order('connections'), new RegExp(` ${d.dealer_id} .*started 0 times`), 'the link is as it was');
    });

  test('nor for nobody at all, and each refusal is a line of the audit log', async () => {
    const bare = new grpc.Client(s.set.grpc('auth'), grpc.credentials.createSsl(fs.readFileSync(authority.file('ca.pem'))));
    const error = await new Promise((resolve) => bare.makeUnaryRequest('/analytics.auth.v1.ConnectService/ShowInvite', (x) => x, (x) => x,
      Buffer.alloc(0), { deadline: Date.now() + 10_000 }, (e) => resolve(e)));
    bare.close();
    assert.equal(error.code, grpc.status.UNAVAILABLE);
    const lines = fs.readFileSync(path.join(s.dir, 'audit-auth.log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const refused = lines.filter((line) => line.reason === 'wrong_service' && line.event.startsWith('connect_'));
    for (const who of ['report-svc', 'aggregate-svc', 'auth-svc', 'nightly-export'])
      assert.equal(refused.filter((line) => JSON.stringify(line).includes(`"${who}"`)).length, 5, who);
    s.audit();
  });

  test('a gateway that shows the certificate of report-svc serves an error and nothing else', async () => {
    const d = s.dealer(), link = s.invite(d);
    await s.set.stopOne('gateway');
    s.set.changeEnv('gateway', authority.tls('report-svc'));
    await s.set.startOne('gateway');
    const page = await s.walker().ask(link);
    assert.notEqual(page.status, 200);
    assert.ok(!page.text.includes(d.name));
    await s.set.stopOne('gateway');
    s.set.changeEnv('gateway', authority.tls('gateway'));
    await s.set.startOne('gateway');
    assert.equal((await s.walker().ask(link)).status, 200);
  });
});
