// config/dealers.schema.json and the loader of dealers.json (auth-svc) must give the same verdict on the same
// document. Mutants of good documents are made from the schema; ajv judges by the schema, the program
// loader_verdicts by the loader. What only the loader can know stands in a table.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { FULL, SECRETS, USER, WORDS, credentials, files, onlyTheLoader, withCredential } from './corpus.mjs';
import { Walker, put } from './mutants.mjs';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const BIN = path.join(ROOT, 'build');
const LOADER = process.env.LOADER_VERDICTS ?? path.join(BIN, 'tests/e2e/schema/loader_verdicts');
const AUTH_SVC = process.env.AUTH_SVC ?? path.join(BIN, 'bin/auth-svc');
const SCHEMA = JSON.parse(fs.readFileSync(path.join(ROOT, 'config/dealers.schema.json'), 'utf8'));
const EXAMPLE = JSON.parse(fs.readFileSync(path.join(ROOT, 'config/dealers.example.json'), 'utf8'));
const RING = `k1: ${Buffer.alloc(32, 7).toString('base64')}`;

const rsaKey = (bits) => generateKeyPairSync('rsa', { modulusLength: bits, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }).privateKey;
const KEY = rsaKey(2048);
const LOADER_ONLY = onlyTheLoader(KEY, rsaKey(1024));
const walker = new Walker(SCHEMA, (value) => (typeof value === 'string' && value.startsWith('-----BEGIN') ? KEY : value));
const SEEDS = { everything: FULL, 'bare array': FULL.dealers, example: EXAMPLE, ...Object.fromEntries(Object.entries(credentials(KEY)).map(([name, c]) => [name, withCredential(c)])) };

let dir, validate, environment;
before(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'schema-'));
  const contents = { ...files(KEY), 'half.json': { type: 'authorized_user', client_id: 'c', client_secret: 's3cret' } };
  for (const [name, content] of Object.entries(contents)) fs.writeFileSync(path.join(dir, name), JSON.stringify(content), { mode: 0o600 });
  fs.writeFileSync(path.join(dir, 'broken.json'), '{', { mode: 0o600 });
  fs.writeFileSync(path.join(dir, 'keyring'), RING, { mode: 0o600 });
  environment = { PATH: process.env.PATH, AUTH_KEYRING_FILE: path.join(dir, 'keyring'), GOOGLE_APPLICATION_CREDENTIALS: path.join(dir, 'refresh-token.json') };
  // strictRequired would ask that "required" stands beside "properties", not beside the choices.
  const ajv = new Ajv.default({ strict: true, strictTypes: true, strictTuples: true, strictRequired: false, allErrors: true });
  ajv.addVocabulary(['patternErrorMessage']);
  validate = ajv.compile(SCHEMA);
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

// What the loader makes of each text.
async function judge(texts, ...options) {
  const child = spawn(LOADER, [dir, ...options], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const ended = new Promise((resolve) => child.on('close', resolve));
  for (const text of texts) {
    assert.ok(!text.includes('\n'));
    if (!child.stdin.write(`${text}\n`)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  }
  child.stdin.end();
  assert.equal(await ended, 0);
  const verdicts = Buffer.concat(chunks).toString().trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(verdicts.length, texts.length);
  return verdicts;
}

const bySchema = (document) => validate(document) || validate.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`).join('; ');

// Compares both verdicts; gives the documents that both accept, and the loader's messages.
async function compare(corpus, minimum) {
  const unique = new Map(corpus.map(([name, document]) => [JSON.stringify(document), name]));
  const texts = [...unique.keys()];
  const verdicts = await judge(texts);
  const accepted = [], messages = [], wrong = [];
  texts.forEach((text, i) => {
    const { ok, checked, error, faults, n } = verdicts[i];
    const schema = bySchema(JSON.parse(text));
    const where = `${unique.get(text)}\n    schema: ${schema}\n    loader: ${ok || error}\n    ${text.slice(0, 300)}`;
    const known = LOADER_ONLY.some(([, , words, , such]) => words.test(error) && (such === undefined || such(text)));
    if (ok !== (schema === true) && !(schema === true && !ok && known)) wrong.push(where);
    // Both ways of reading agree, and the first fault of the one is the error of the other.
    if (ok !== checked || ok !== (n === 0) || (!ok && !faults.some((f) => error.endsWith(f.text)))) wrong.push(`all faults: ${n}, ${JSON.stringify(faults)}\n  ${where}`);
    if (/[\0-\x1f\x7f]/.test(error)) wrong.push(`a control character: ${where}`);
    if (SECRETS.some((secret) => error.includes(secret) || JSON.stringify(faults).includes(secret))) wrong.push(`tells a secret: ${where}`);
    if (ok && schema === true) accepted.push(JSON.parse(text));
    if (!ok) messages.push(...faults.map((f) => f.text));
  });
  assert.equal(wrong.length, 0, `${wrong.length} of ${texts.length} documents:\n\n${wrong.slice(0, 40).join('\n\n')}`);
  assert.ok(texts.length >= minimum, `${texts.length} documents`);
  assert.ok(messages.length >= minimum / 2);
  return { accepted, messages, n: texts.length };
}

test('good documents are good for both', async () => {
  const good = { ...SEEDS, ...WORDS };
  const verdicts = await judge(Object.values(good).map((seed) => JSON.stringify(seed)));
  Object.entries(good).forEach(([name, seed], i) => {
    assert.equal(bySchema(seed), true, name);
    assert.equal(verdicts[i].ok, true, `${name}: ${verdicts[i].error}`);
  });
});

test('mutants of good documents get the same verdict from both', async (t) => {
  const corpus = [];
  for (const [name, seed] of Object.entries(SEEDS)) {
    const credential = name !== 'everything' && name !== 'bare array' && name !== 'example';
    const kind = credential ? Object.keys(seed.dealers[0]).at(-1) : undefined;
    const under = credential ? ['dealers', 0, kind] : [];
    const small = name === 'bare array' || name === 'example';
    for (const [what, document] of walker.mutants(seed, { under, only: (part) => !small || part.path.length === 0 })) corpus.push([`${name}, ${what}`, document]);
    // The credential beside and in place of others.
    if (credential) for (const [what, document] of walker.mutants(seed, { only: (part) => part.path.length === 2 })) corpus.push([`${name}, ${what}`, document]);
  }
  const { accepted, messages, n } = await compare(corpus, 3000);
  t.diagnostic(`${n} documents, ${accepted.length} accepted, ${new Set(messages).size} different messages`);
  if (process.env.MESSAGES) fs.writeFileSync(process.env.MESSAGES, [...new Set(messages)].sort().join('\n'));

  // Each property that the schema has was in a document that both accept.
  const seen = new Set();
  for (const document of [...accepted, ...Object.values(SEEDS)])
    walker.visit((where, value, node) => {
      if (value !== null && typeof value === 'object') for (const key of Object.keys(value)) if (node.properties?.[key]) seen.add(node.properties[key]);
    }, document);
  const sealed = SCHEMA.$defs.sealed.properties.sealed; // the next test
  const unseen = walker.properties().filter(([node]) => node !== sealed && !seen.has(node));
  assert.deepEqual(unseen.map(([, pointer]) => pointer), []);
});

test('sealed secrets may stand where secrets may, in one form', async () => {
  const seeds = [withCredential({ oauth: USER }), withCredential(credentials(KEY)['federation by URL']), withCredential({ service_account: { client_email: 'a@p', private_key: KEY } })];
  const corpus = [];
  for (const seed of seeds) {
    const file = path.join(dir, 'to-seal.json');
    fs.writeFileSync(file, JSON.stringify(seed), { mode: 0o600 });
    execFileSync(AUTH_SVC, ['seal', file], { env: environment, stdio: 'pipe' });
    const sealed = JSON.parse(fs.readFileSync(file, 'utf8'));
    corpus.push(['sealed', sealed]);
    const at = [];
    walker.visit((where, value, node) => node === SCHEMA.$defs.sealed && at.push(where), sealed);
    assert.ok(at.length >= 1);
    for (const where of at) {
      corpus.push(...walker.mutants(sealed, { under: where }));
      const parts = [...[1, 32, 33].map((n) => `${'k'.repeat(n)}:${'A'.repeat(40)}`), ...[36, 37, 38, 39, 40].map((n) => `k1:${'A'.repeat(n)}`), ...['=', '==', '===', '=A'].map((end) => `k1:${'A'.repeat(38)}${end}`)];
      for (const part of parts) corpus.push([`seal ${part}`, put(sealed, where, { sealed: `v1:${part}` })]);
      // A sealed value is not a text elsewhere.
      const value = where.reduce((node, key) => node[key], sealed);
      for (const part of walker.parts(sealed)) if (typeof part.value === 'string' && !part.path.includes('sealed')) corpus.push([`sealed ${part.path}`, put(sealed, part.path, value)]);
    }
  }
  const { accepted } = await compare(corpus, 100);
  assert.ok(accepted.length >= 3);
});

test('what only the loader can refuse is refused by it and not by the schema', async () => {
  assert.ok(LOADER_ONLY.length > 20);
  const texts = LOADER_ONLY.map(([, document]) => (typeof document === 'string' ? document : JSON.stringify(document)));
  const verdicts = await judge(texts);
  LOADER_ONLY.forEach(([name, , words], i) => {
    assert.equal(bySchema(JSON.parse(texts[i])), true, `the schema refuses ${name}`);
    assert.equal(verdicts[i].ok, false, `the loader takes ${name}`);
    assert.match(verdicts[i].error, words, name);
  });
});

// Keys that the loader knows only to say what to do instead.
const REFUSED = [
  [/\/service_account$/, 'subject', 'beside self_signed'],
  [/source_credentials$/, 'self_signed', 'Google\'s service signs for the source'],
  [/source_credentials$/, 'subject', 'the impersonated account is who acts'],
];

test('the schema knows each key that the loader knows, where it knows it', async () => {
  const seeds = Object.values(SEEDS);
  const verdicts = await judge(seeds.map((seed) => JSON.stringify(seed)), '--keys');
  const all = new Map(); // key -> an example
  const objects = [];
  for (const [, pointer] of walker.properties()) all.set(pointer.split('/').at(-1), undefined);
  verdicts.forEach(({ keys }, i) => {
    for (const { field, known } of keys) {
      const where = [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) => (index !== undefined ? Number(index) : name));
      objects.push({ seed: seeds[i], where, known });
      for (const key of known) all.set(key, undefined);
    }
  });
  const examples = (key) => [...new Set(walker.properties().filter(([, pointer]) => pointer.endsWith(`/properties/${key}`)).flatMap(([node]) => walker.examples(node)))];
  for (const key of all.keys()) all.set(key, examples(key)[0] ?? 'x');

  const misplaced = [], exceptions = [];
  for (const { seed, where, known } of objects) {
    const value = where.reduce((node, key) => node[key], seed);
    const pointer = where.map((key) => `/${key}`).join('');
    for (const key of known.filter((k) => !(k in value))) {
      validate(put(seed, where, { ...value, [key]: null }));
      const unknown = (validate.errors ?? []).some((e) => (e.instancePath === pointer && e.params.additionalProperty === key) || (e.instancePath === `${pointer}/${key}` && e.keyword === 'false schema'));
      if (!unknown) continue;
      assert.ok(REFUSED.some(([place, name]) => place.test(pointer) && name === key), `the loader knows ${pointer}/${key}, the schema does not`);
      for (const example of [null, true, 'x', {}, []]) exceptions.push([`${pointer} refuses ${key}`, put(seed, where, { ...value, [key]: example })]);
    }
    // Every key of the file, where it does not belong.
    for (const [key, example] of all) if (!(key in value)) misplaced.push([`${pointer} with ${key}`, put(seed, where, { ...value, [key]: example })]);
  }
  for (const verdict of await judge(exceptions.map(([, document]) => JSON.stringify(document)))) assert.equal(verdict.ok, false);
  assert.ok(exceptions.length > 0);
  await compare(misplaced, 1000);

  // And each object that the schema closes is one whose keys the loader tells.
  const told = new Set(objects.map(({ seed, where }) => JSON.stringify([seeds.indexOf(seed), where])));
  seeds.forEach((seed, i) =>
    walker.visit((where, value, node, alternative) => {
      if (!alternative && node.additionalProperties === false && value !== null && typeof value === 'object')
        assert.ok(told.has(JSON.stringify([i, where])), `the loader told no keys of ${where.join('.')}`);
    }, seed),
  );
});

test('every property has a description and something to try it with', () => {
  for (const [node, pointer] of walker.properties()) {
    if (/external_account\/(then|else)\/properties\/credential_source$/.test(pointer)) continue; // narrows what is described above
    if (!/file\/properties\/(dealers|cohorts)$/.test(pointer)) assert.ok(walker.examples(node).length > 0, `${pointer} has no examples`);
    assert.ok(node.description?.length > 5, `${pointer} has no description`);
  }
  assert.equal(SCHEMA.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.ok(SCHEMA.$id && SCHEMA.title && SCHEMA.description);
});

test('the dealers files of the documentation are good', () => {
  const page = fs.readFileSync(path.join(ROOT, 'docs/OAUTH_SETUP.md'), 'utf8');
  const blocks = [...page.matchAll(/^( *)```json dealers.*\n([\s\S]*?)^\1```$/gm)];
  assert.ok(blocks.length >= 3);
  for (const [, , text] of blocks) assert.equal(bySchema(JSON.parse(text)), true, text);
});

test('the fuzz target has a word for each key and value of the schema', () => {
  const file = ['tests/fuzz/dict/dealers.dict', 'tests/fuzz/dealers.dict'].map((name) => path.join(ROOT, name)).find(fs.existsSync);
  const words = fs.readFileSync(file, 'utf8').split('\n');
  const entry = (word) => `"\\"${word}\\""`;
  for (const [node, pointer] of walker.properties())
    for (const word of [pointer.split('/').at(-1), ...(node.enum ?? []), ...(typeof node.const === 'string' ? [node.const] : [])])
      assert.ok(words.includes(entry(word)), `${file} lacks ${entry(word)}`);
});

test('the example names the schema for editors', () => {
  assert.ok(fs.existsSync(path.join(ROOT, 'config', EXAMPLE.$schema)));
});
