// config/issuers.schema.json and auth-svc's reader of the issuers file must give the same verdict on the
// same document: on mutants of good documents, made from the schema, and on those of a table.
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
const SCHEMA = read('issuers.schema.json');
// What no schema can say: unique across the array, and bytes of UTF-8 where the schema counts characters.
const LOADER_ONLY = /is used by issuers\[\d+\] already$|longer than \d+ bytes$|must be a string of 1 to 256 bytes$/;

const validate = new Ajv.default({ strict: true, strictTypes: true, strictRequired: false, allowUnionTypes: true }).compile(SCHEMA);
const walker = new Walker(SCHEMA);

const RULE = { claim: 'role', role: 'admin' };
const issuer = (more) => ({ issuers: [{ issuer: 'https://id.example', name: 'id', rules: [RULE], ...more }] });
const rule = (more) => issuer({ rules: [{ ...RULE, ...more }] });
const dealer = (more) => rule({ role: 'dealer', dealers: ['{value}'], ...more });
const without = (key) => {
  const file = issuer({});
  delete file.issuers[0][key];
  return file;
};
const many = (n, item) => Array.from({ length: n }, (_, i) => item(i));

const PATHS = ['a', 'a.b', "'a.b'.c", "'https://x.example/y z'", 'cognito:groups', 'a.b.c.d.e.f', `${'x'.repeat(256)}`, "a.'b'", '"'];
const NO_PATHS = ['', '.', 'a.', '.a', 'a..b', 'a b', 'https://x.example/y', "'a", "a'", "''", "'a'b", 'a.b.c.d.e.f.g', 'é', 'a{b', "'a}b'", 'a\tb', 'x'.repeat(257)];
const ACCEPTED = [
  read('issuers.example.json'),
  issuer({}), issuer({ issuer: 'https://id.example/a/', algorithms: ['EdDSA', 'RS256'], typ: 'at+jwt', leeway_s: 300, max_life_s: 60 }),
  issuer({ issuer: 'http://127.0.0.1:8080/x' }), issuer({ issuer: 'http://localhost' }), issuer({ issuer: 'http://[::1]:90' }),
  issuer({ jwks_uri: 'https://keys.example/a?b=c' }), issuer({ audiences: many(8, (i) => `a${i}`), audience_claim: 'client_id' }),
  issuer({ name: 'x'.repeat(32) }), issuer({ rules: many(100, () => RULE) }),
  { issuers: many(16, (i) => ({ issuer: `https://id${i}.example`, name: `id${i}`, rules: [RULE] })) },
  ...PATHS.map((claim) => rule({ claim })),
  rule({ equals: 'x' }), rule({ equals: true }), rule({ contains: 'x' }), rule({ any: ['x', 'y'] }), rule({ prefix: 'x' }),
  rule({ any: many(50, (i) => `a${i}`) }), rule({ and: [{ claim: 'b', equals: false }, { claim: 'c' }] }),
  dealer({}), dealer({ prefix: 'dealer-' }), dealer({ dealers: ["{claim:'a.b'.c}", 'd01', '{value}'] }), dealer({ equals: true, dealers: ['{claim:d}'] }),
  dealer({ role: 'group', dealers: [], groups: ['{value}'] }), dealer({ regions: ['West'] }), dealer({ dealers: many(1000, (i) => `d${i}`) }),
];
const REFUSED = [
  [], 'x', null, {}, { issuers: [] }, { issuers: {} }, { issuers: [7] }, { issuer: [] },
  without('issuer'), without('name'), without('rules'),
  issuer({ issuer: 'http://id.example' }), issuer({ issuer: 'id.example' }), issuer({ issuer: 'https://' }), issuer({ issuer: 'https://id.example?x' }),
  issuer({ issuer: 'https://id.example/#x' }), issuer({ issuer: 'https://a@id.example' }), issuer({ issuer: 'ftp://id.example' }), issuer({ issuer: '' }),
  issuer({ name: 'A' }), issuer({ name: '-a' }), issuer({ name: 'a_b' }), issuer({ name: '' }), issuer({ name: 'x'.repeat(33) }), issuer({ name: 7 }),
  issuer({ jwks_uri: 'http://keys.example' }), issuer({ jwks_uri: null }),
  issuer({ audiences: [] }), issuer({ audiences: 'a' }), issuer({ audiences: [''] }), issuer({ audiences: many(9, (i) => `a${i}`) }),
  issuer({ algorithms: [] }), issuer({ algorithms: ['HS256'] }), issuer({ algorithms: ['none'] }), issuer({ algorithms: ['rs256'] }), issuer({ algorithms: 'RS256' }),
  issuer({ typ: '' }), issuer({ typ: 'a\n' }), issuer({ typ: 'x'.repeat(65) }),
  issuer({ leeway_s: 0 }), issuer({ leeway_s: 301 }), issuer({ leeway_s: 1.5 }), issuer({ leeway_s: '30' }), issuer({ max_life_s: 59 }),
  issuer({ rules: [] }), issuer({ rules: many(101, () => RULE) }), issuer({ rules: [null] }), issuer({ secret: 'x' }),
  { issuers: many(17, (i) => ({ issuer: `https://id${i}.example`, name: `id${i}`, rules: [RULE] })) },
  ...NO_PATHS.map((claim) => rule({ claim })), ...NO_PATHS.map((claim) => dealer({ dealers: [`{claim:${claim}}`] })),
  rule({ claim: undefined }), rule({ role: undefined }), rule({ role: 'owner' }), rule({ equals: '' }), rule({ equals: 1 }), rule({ equals: null }),
  rule({ contains: true }), rule({ any: [] }), rule({ any: 'x' }), rule({ any: many(51, (i) => `a${i}`) }), rule({ prefix: '' }),
  rule({ equals: 'x', contains: 'y' }), rule({ any: ['x'], prefix: 'y' }), rule({ and: {} }), rule({ and: [{}] }), rule({ and: [{ claim: 'a', role: 'admin' }] }),
  rule({ and: many(5, () => ({ claim: 'a' })) }), rule({ starts: 'x' }),
  dealer({ dealers: [] }), dealer({ dealers: undefined }), dealer({ groups: ['g'] }), dealer({ role: 'admin' }), dealer({ role: 'group', dealers: [] }),
  dealer({ dealers: ['{values}'] }), dealer({ dealers: ['x{value}'] }), dealer({ dealers: ['{value'] }), dealer({ equals: true }), dealer({ dealers: many(1001, (i) => `d${i}`) }),
];

// What the reader makes of each document.
function judge(documents) {
  const input = documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  const { status, stdout, stderr } = spawnSync(LOADER, ['.', '--issuers'], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  const verdicts = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(verdicts.length, documents.length);
  return verdicts;
}

for (const [expected, documents] of [[true, ACCEPTED], [false, REFUSED]])
  test(`schema and service ${expected ? 'take' : 'refuse'} what they should`, () => {
    judge(documents).forEach(({ ok, error }, i) => {
      const shown = JSON.stringify(documents[i]).slice(0, 300);
      assert.equal(validate(documents[i]), expected, `schema: ${shown} ${JSON.stringify(validate.errors)}`);
      assert.equal(ok, expected, `auth-svc: ${shown} ${error}`);
      if (!expected) assert.match(error, /^issuers\.json line \d+: /, shown);
    });
  });

test('mutants of good documents get the same verdict from both', (t) => {
  const seeds = [
    read('issuers.example.json'), issuer({ jwks_uri: 'https://id.example/keys', typ: 'at+jwt', audience_claim: 'client_id', max_life_s: 600 }),
    dealer({ prefix: 'dealer-', regions: ['West'] }), dealer({ contains: 'a' }), dealer({ role: 'group', any: ['a'], and: [{ claim: 'b', prefix: 'x' }] }),
  ];
  const unique = new Map(seeds.flatMap((seed) => [...walker.mutants(seed)]).map(([what, document]) => [JSON.stringify(document), what]));
  const texts = [...unique.keys()], wrong = [], seen = new Set();
  const documents = texts.map((text) => JSON.parse(text));
  let accepted = 0;
  judge(documents).forEach(({ ok, error }, i) => {
    const schema = validate(documents[i]);
    accepted += ok && schema;
    if (ok !== schema && !(schema && LOADER_ONLY.test(error)))
      wrong.push(`${unique.get(texts[i])}: schema ${schema}, auth-svc ${ok || error}: ${texts[i].slice(0, 400)}`);
    if (ok) walker.visit((where, value, node) => Object.keys(node.properties ?? {}).forEach((key) => value?.[key] !== undefined && seen.add(key)), documents[i]);
  });
  t.diagnostic(`${texts.length} documents, ${accepted} accepted`);
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(texts.length > 1000 && accepted > 100, `${texts.length} documents, ${accepted} accepted`);
  const keys = ['issuer', 'name', 'jwks_uri', 'audiences', 'audience_claim', 'algorithms', 'typ', 'leeway_s', 'max_life_s', 'rules',
    'claim', 'equals', 'contains', 'any', 'prefix', 'and', 'role', 'dealers', 'regions', 'groups'];
  for (const key of keys) assert.ok(seen.has(key), key);
});
