// config/policies.schema.json and auth-svc's reader of the policy file must give the same verdict on the same
// document: on mutants of good documents, made from the schema, and on those of a table.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { Walker } from './mutants.mjs';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const LOADER = process.env.LOADER_VERDICTS ?? path.join(ROOT, 'build/tests/e2e/schema/loader_verdicts');
const read = (name) => JSON.parse(fs.readFileSync(path.join(ROOT, 'config', name), 'utf8'));
const SCHEMA = read('policies.schema.json');
const HASH = 'aB'.repeat(32);
// What no schema can say.
const LOADER_ONLY = /identity.*is used by policies\[\d+\] already$/;

const validate = new Ajv.default({ strict: true, strictTypes: true, strictRequired: false }).compile(SCHEMA);
const walker = new Walker(SCHEMA);

const policy = (more) => ({ policies: [{ identity: 'export', subject: 'export', role: 'group', regions: ['West'], ...more }] });
const without = (key) => {
  const file = policy({});
  delete file.policies[0][key];
  return file;
};
const revoked = (entry) => ({ revoked: [entry] });
const many = (n, item) => Array.from({ length: n }, (_, i) => item(i));

const ACCEPTED = [
  {}, { $schema: 'policies.schema.json' }, { policies: [] }, { revoked: [] },
  read('policies.example.json'),
  policy({}), policy({ identity: 'spiffe://a/b' }), policy({ dealers: [], groups: [] }),
  policy({ regions: [], groups: ['g'] }), policy({ regions: undefined, dealers: ['d'] }),
  policy({ role: 'admin', regions: undefined }), policy({ role: 'admin', regions: [] }),
  policy({ role: 'dealer', dealers: ['d'] }), policy({ role: 'dealer', dealers: ['d'], groups: [] }),
  policy({ subject: 'x'.repeat(256), identity: 'y'.repeat(512) }), policy({ regions: many(1000, (i) => `r${i}`) }),
  policy({ regions: ['x'.repeat(256)] }),
  { policies: many(1000, (i) => ({ identity: `i${i}`, subject: 's', role: 'admin' })) },
  { revoked: many(20_000, (i) => ({ token_id: `t${i}` })) },
  revoked({ subject: 's' }), revoked({ token_id: 'x'.repeat(256) }), revoked({ token_sha256: HASH }),
];
const REFUSED = [
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
  { revoked: many(20_001, (i) => ({ token_id: `t${i}` })) },
  revoked({}), revoked({ subject: 's', token_id: 't' }), revoked({ subject: '' }), revoked({ jti: 't' }),
  revoked({ subject: 'x'.repeat(257) }), revoked({ token_id: 7 }), revoked({ token_id: 'a\tb' }),
  revoked({ token_sha256: HASH.slice(1) }), revoked({ token_sha256: `${HASH}0` }), revoked({ token_sha256: HASH.replace('a', 'g') }),
];

// What the reader makes of each document.
function judge(documents) {
  const input = documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  const { status, stdout, stderr } = spawnSync(LOADER, ['.', '--policies'], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  const verdicts = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(verdicts.length, documents.length);
  return verdicts;
}

for (const [expected, documents] of [[true, ACCEPTED], [false, REFUSED]])
  test(`schema and service ${expected ? 'take' : 'refuse'} what they should`, () => {
    judge(documents).forEach(({ ok, error }, i) => {
      const shown = JSON.stringify(documents[i]).slice(0, 200);
      assert.equal(validate(documents[i]), expected, `schema: ${shown} ${JSON.stringify(validate.errors)}`);
      assert.equal(ok, expected, `auth-svc: ${shown} ${error}`);
      if (!expected) assert.match(error, /^policies\.json line \d+: /, shown);
    });
  });

test('mutants of good documents get the same verdict from both', (t) => {
  const seeds = [read('policies.example.json'), policy({ dealers: ['d01'], groups: ['g'] }), policy({ role: 'dealer', dealers: ['d01'] }), ...ACCEPTED.slice(-3)];
  const unique = new Map(seeds.flatMap((seed) => [...walker.mutants(seed)]).map(([what, document]) => [JSON.stringify(document), what]));
  const texts = [...unique.keys()], wrong = [], seen = new Set();
  const documents = texts.map((text) => JSON.parse(text));
  let accepted = 0;
  judge(documents).forEach(({ ok, error }, i) => {
    const schema = validate(documents[i]);
    accepted += ok && schema;
    if (ok !== schema && !(schema && LOADER_ONLY.test(error)))
      wrong.push(`${unique.get(texts[i])}: schema ${schema}, auth-svc ${ok || error}: ${texts[i].slice(0, 300)}`);
    if (ok) walker.visit((where, value, node) => Object.keys(node.properties ?? {}).forEach((key) => value?.[key] !== undefined && seen.add(key)), documents[i]);
  });
  t.diagnostic(`${texts.length} documents, ${accepted} accepted`);
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(texts.length > 1000 && accepted > 100, `${texts.length} documents, ${accepted} accepted`);
  for (const key of ['policies', 'revoked', 'identity', 'subject', 'role', 'dealers', 'regions', 'groups', 'token_id', 'token_sha256']) assert.ok(seen.has(key), key);
});
