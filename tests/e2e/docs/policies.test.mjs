// The schema of the policy file and auth-svc's reader agree: what the one takes, the other takes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Ajv from 'ajv';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const AUTH = path.join(path.resolve(process.env.BUILD_DIR ?? path.join(ROOT, 'build')), 'bin/auth-svc');
const read = (name) => JSON.parse(fs.readFileSync(path.join(ROOT, 'config', name), 'utf8'));
const HASH = 'aB'.repeat(32);

const policy = (more) => ({ policies: [{ identity: 'export', subject: 'export', role: 'group', regions: ['West'], ...more }] });
const without = (key) => {
  const file = policy({});
  delete file.policies[0][key];
  return file;
};
const revoked = (entry) => ({ revoked: [entry] });
const many = (n, item) => Array.from({ length: n }, (_, i) => item(i));

const accepted = [
  {}, { $schema: 'policies.schema.json' }, { policies: [] }, { revoked: [] },
  read('policies.example.json'),
  policy({}), policy({ identity: 'spiffe://a/b' }), policy({ dealers: [], groups: [] }),
  policy({ regions: [], groups: ['g'] }), policy({ regions: undefined, dealers: ['d'] }),
  policy({ role: 'admin', regions: undefined }), policy({ role: 'admin', regions: [] }),
  policy({ role: 'dealer', dealers: ['d'] }), policy({ role: 'dealer', dealers: ['d'], groups: [] }),
  policy({ subject: 'x'.repeat(256), identity: 'y'.repeat(512) }), policy({ regions: many(1000, (i) => `r${i}`) }),
  policy({ regions: ['x'.repeat(256)] }),
  { policies: many(1000, (i) => ({ identity: `i${i}`, subject: 's', role: 'admin' })) },
  revoked({ subject: 's' }), revoked({ token_id: 'x'.repeat(256) }), revoked({ token_sha256: HASH }),
];
const refused = [
  [], 'x', null, { policy: [] }, { policies: {} }, { revoked: 'all' }, { policies: [7] }, { revoked: [[]] },
  without('identity'), without('subject'), without('role'), without('regions'),
  policy({ identity: '' }), policy({ identity: 7 }), policy({ identity: 'a\nb' }), policy({ identity: 'y'.repeat(513) }),
  policy({ subject: '' }), policy({ subject: 'x'.repeat(257) }), policy({ subject: 'a\u007f' }), policy({ subject: null }),
  policy({ role: 'boss' }), policy({ role: 'Group' }), policy({ role: ['group'] }), policy({ role: '' }),
  policy({ role: 'admin' }), policy({ role: 'admin', regions: [], dealers: ['d'] }), policy({ role: 'dealer' }),
  policy({ role: 'dealer', dealers: [] }), policy({ role: 'dealer', dealers: ['d'], groups: ['g'] }),
  policy({ regions: [] }), policy({ regions: 'West' }), policy({ regions: [''] }), policy({ regions: [1] }),
  policy({ regions: ['x'.repeat(257)] }), policy({ groups: null }), policy({ regions: many(1001, (i) => `r${i}`) }),
  policy({ dealer: ['d'] }), policy({ comment: 'x' }),
  { policies: many(1001, (i) => ({ identity: `i${i}`, subject: 's', role: 'admin' })) },
  revoked({}), revoked({ subject: 's', token_id: 't' }), revoked({ subject: '' }), revoked({ jti: 't' }),
  revoked({ subject: 'x'.repeat(257) }), revoked({ token_id: 7 }), revoked({ token_id: 'a\tb' }),
  revoked({ token_sha256: HASH.slice(1) }), revoked({ token_sha256: `${HASH}0` }), revoked({ token_sha256: HASH.replace('a', 'g') }),
];

let dir, env, token, validate;
before(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-policies-'));
  env = { AUTH_JWT_ISSUER: 'me', AUTH_JWT_HS256_SECRET: HASH, AUTH_POLICY_FILE: path.join(dir, 'p.json') };
  const minted = spawnSync(AUTH, ['token', 'mint', '--sub', 'nobody', '--role', 'admin'], { env, encoding: 'utf8' });
  assert.equal(minted.status, 0, minted.stderr);
  token = minted.stdout;
  validate = new Ajv({ strict: true, strictRequired: false, strictTypes: false }).compile(read('policies.schema.json'));
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

// What auth-svc makes of a file: token inspect reads it as the service does.
function load(value) {
  fs.writeFileSync(env.AUTH_POLICY_FILE, JSON.stringify(value));
  const { stdout, stderr } = spawnSync(AUTH, ['token', 'inspect', '-'], { env, input: token, encoding: 'utf8' });
  return /^accepted: yes$/m.test(stdout) ? '' : stdout.split('\n').find((line) => line.startsWith('accepted: no')) ?? stderr;
}

for (const [expected, corpus] of [[true, accepted], [false, refused]])
  test(`schema and service ${expected ? 'take' : 'refuse'} the same files`, () => {
    for (const value of corpus) {
      const shown = JSON.stringify(value).slice(0, 200), fault = load(value);
      assert.equal(validate(value), expected, `schema: ${shown} ${JSON.stringify(validate.errors)}`);
      assert.equal(fault === '', expected, `auth-svc: ${shown} ${fault}`);
      if (!expected) assert.match(fault, /p\.json line \d+: /, shown);
    }
  });
