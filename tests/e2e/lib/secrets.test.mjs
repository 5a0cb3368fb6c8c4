// The search for secrets finds them in every form, and says which without repeating them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { SecretScan } from './secrets.mjs';

const SECRET = '1//0gRefresh+Token/of=one';
const found = (text, fill = (scan) => scan.add('refresh token', SECRET)) => {
  const scan = new SecretScan();
  fill(scan);
  scan.look('page', text);
  return scan.findings;
};

test('a secret is found in every form and at every offset', () => {
  const hex = Buffer.from(SECRET).toString('hex');
  const texts = [SECRET, `a "${SECRET}"`, JSON.stringify({ SECRET }), hex, hex.toUpperCase(), encodeURIComponent(SECRET), SECRET.replaceAll('/', '\\/')];
  for (let before = 0; before < 6; before++)
    for (const coding of ['base64', 'base64url'])
      for (const after of ['', '"}', '...'])
        texts.push(Buffer.from('x'.repeat(before) + SECRET + after).toString(coding));
  for (const text of texts) {
    const findings = found(`first line\n${text}\nlast`);
    assert.ok(findings.length > 0, text);
    assert.ok(findings.every((finding) => !finding.includes(SECRET)));
  }
});

test('clean text gives no finding', () => {
  assert.deepEqual(found(`{"dealer":"d01","trace":"4bf92f3577b34da6a3ce929d0e0e4736","n":1750000000}\n`.repeat(100)), []);
  assert.deepEqual(found(SECRET, () => {}), []);
});

test('access tokens, signed tokens and private keys are found without being known', () => {
  const none = () => {};
  assert.match(found('Bearer ya29.c.b0Aaekm1', none)[0], /an access token as plain text/);
  assert.match(found(Buffer.from('xx ya29.abc').toString('base64'), none)[0], /an access token as base64/);
  assert.match(found('eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIifQ.c2lnbmF0dXJl', none)[0], /a signed token/);
  assert.match(found('-----BEGIN PRIVATE KEY-----', none)[0], /a private key/);
});

test('secrets are learned from dealers files, also broken ones, and from variables', (t) => {
  const ring = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-')), 'keyring');
  t.after(() => fs.rmSync(path.dirname(ring), { recursive: true }));
  fs.writeFileSync(ring, '2026a: ZZZZyyyyXXXX\n');
  const file = '{"dealers":[{"oauth":{"client_secret":"GOCSPX-abcdefgh","refresh_token":"1//0gabcdefgh"}},{"service_account":{"private_key":"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqh\\n-----END PRIVATE KEY-----\\n"}},';
  const learn = (scan) => {
    scan.addJson(file);
    scan.addEnvironment({ AUTH_SEAL_KEY: 'aaaabbbbcccc,ddddeeeeffff', AUTH_KEYRING_FILE: ring, LOG_LEVEL: 'DEBUGDEBUG' });
  };
  for (const secret of ['GOCSPX-abcdefgh', '1//0gabcdefgh', 'MIIEvQIBADANBgkqh', 'aaaabbbbcccc', 'ddddeeeeffff', 'ZZZZyyyyXXXX'])
    assert.equal(found(secret, learn).length, 1, secret);
  assert.deepEqual(found('DEBUGDEBUG', learn), []);
});
