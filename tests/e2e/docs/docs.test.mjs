// What docs/OAUTH_SETUP.md shows is tried: blocks marked `sh test` run in one shell, in order, against
// the simulator, and must print what the `text` block after them shows (`...` stands for anything);
// dealers files must be taken by auth-svc.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../lib/build.mjs';
import { inherited } from '../lib/child.mjs';
import { startSet } from '../lib/set.mjs';
import { blocksOf, prints, withOutput } from './page.mjs';
import { BIN } from './reference.mjs';

const run = promisify(execFile);
const SETUP = blocksOf(path.join(ROOT, 'docs/OAUTH_SETUP.md'));
const MARK = '@@block';

// The blocks of a kind, each with the output shown for it.
const shownBlocks = (kind) => withOutput(SETUP, (one) => one === kind);

let set, dealer, env;
before(async () => {
  set = await startSet({ sim: { dealers: 3, days: 30 }, only: ['sim'] });
  [dealer] = JSON.parse(fs.readFileSync(set.dealersFile, 'utf8')).dealers;
  const { client_id, client_secret, refresh_token } = dealer.oauth;
  env = {
    ...inherited(),
    PATH: `${BIN}:${process.env.PATH}`,
    TOKEN_URL: `${set.sim}/token`,
    DATA_API: set.sim,
    ADMIN_API: set.sim,
    OAUTH_TOKEN_ENDPOINT: `${set.sim}/token`,
    GA4_DATA_ENDPOINT: set.sim,
    GA4_ADMIN_ENDPOINT: set.sim,
    CLIENT_ID: client_id,
    CLIENT_SECRET: client_secret,
    REFRESH_TOKEN: refresh_token,
    PROPERTY: String(dealer.properties[0].property_id ?? dealer.properties[0]).replace(/\D/g, ''),
  };
});
after(async () => set?.stop());

// Runs blocks in one shell; the output of each.
async function runBlocks(blocks) {
  const script = blocks.map((block) => `echo '${MARK}'\n${block.text}`).join('\n');
  const options = { cwd: path.dirname(set.dealersFile), env, timeout: 60_000 };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], options);
  return stdout.split(`${MARK}\n`).slice(1);
}

test('the commands print what the page says', async () => {
  const blocks = shownBlocks('sh test');
  assert.ok(blocks.length >= 5);
  const outputs = await runBlocks(blocks);
  blocks.forEach(({ line, shown }, i) => {
    if (shown !== undefined) assert.ok(prints(outputs[i], shown), `line ${line} printed:\n${outputs[i]}`);
  });
});

test('the challenge is the SHA-256 of the verifier (RFC 7636)', async () => {
  const { text } = SETUP.find((block) => block.text.startsWith('VERIFIER='));
  const rfc = text.replace(/^VERIFIER=.*$/m, 'VERIFIER=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
  const [output] = await runBlocks([{ text: `${rfc}\necho "$CHALLENGE"` }]);
  assert.match(output, /^E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM$/m);
});

test('auth-svc check prints what the page says', async (t) => {
  const help = execFileSync(path.join(BIN, 'auth-svc'), ['--help'], { encoding: 'utf8' });
  if (!/^ +check DEALER/m.test(help)) return t.skip('this auth-svc has no subcommand check');
  for (const block of shownBlocks('sh test check')) {
    const [output] = await runBlocks([block]);
    assert.ok(prints(output, block.shown), output);
  }
});

// Whether auth-svc takes a dealers file: it gets ready with it.
async function takes(block) {
  const folder = fs.mkdtempSync(path.join(set.dir, 'page-'));
  const file = path.join(folder, 'dealers.json');
  fs.writeFileSync(file, block.text, { mode: 0o600 });
  const key = execFileSync('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const account = { type: 'service_account', client_email: 'a@p.iam.gserviceaccount.com', private_key: key, private_key_id: 'k' };
  fs.writeFileSync(path.join(folder, 'analytics-mcp.json'), JSON.stringify(account), { mode: 0o600 });
  const auth = await startSet({ only: ['auth'], dealersFile: file });
  await auth.stop();
}

test('the dealers files of the page are taken', async () => {
  const blocks = SETUP.filter(({ kind }) => kind === 'json dealers');
  assert.ok(blocks.length > 0);
  for (const block of blocks) await takes(block);
});

test('so are those with service accounts and federation', async (t) => {
  const blocks = SETUP.filter(({ kind }) => kind === 'json dealers-kinds');
  assert.ok(blocks.length >= 2);
  for (const block of blocks) await takes(block);
});

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const sources = (pattern) => fs.readdirSync(path.join(ROOT, 'auth-svc'), { recursive: true }).filter((name) => pattern.test(name)).map((name) => read(`auth-svc/${name}`));

// The reasons that the code of credentials and tokens gives, wherever it makes an error.
function reasonsOfTheCode() {
  const text = sources(/^(credential\/|token\/(?!store)).*\.c$/).join('\n');
  const patterns = [
    /err_set\(\s*[^,]+,\s*[^,]+,\s*"(\w+)"/g,
    /answer_(?:operator_fault|passing)\((?:[^"(),]+,\s*)*"(\w+)"/g,
    /static const char reason\[\] = "(\w+)"/g,
    /\bfail\(f, "(\w+)"/g,
    /invalid_grant \? "(\w+)"/g,
  ];
  return new Set(patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, reason]) => reason)));
}

test('every reason that a credential can fail for has its line in OAUTH_SETUP.md', () => {
  const page = read('docs/OAUTH_SETUP.md');
  const table = page.slice(page.indexOf('| reason | means | do |'));
  const lines = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
  const listed = new Set(lines.flatMap((line) => [...line.split('|')[1].matchAll(/`(\w+)`/g)].map(([, reason]) => reason)));
  const code = reasonsOfTheCode();
  for (const known of ['invalid_grant', 'missing_scope', 'credential_refused', 'subject_token_unusable', 'aws_metadata_refused', 'no_metadata_server', 'state_not_stored', 'token_endpoint_unavailable', 'aws_key_unknown'])
    assert.ok(code.has(known), `the search does not find ${known}`);
  assert.ok(code.size >= 25, [...code].join(' '));
  code.delete('cancelled'); // the caller's own doing
  for (const reason of code) assert.ok(listed.has(reason), `${reason} has no line in section 7`);
  const seen = [...read('tests/e2e/set/credentials.test.mjs').matchAll(/reason: '(\w+)'/g)].map(([, reason]) => reason);
  assert.ok(seen.length > 10);
  for (const reason of seen) assert.ok(listed.has(reason), `${reason}, which a person was shown, has no line in section 7`);
  for (const line of lines) assert.ok(line.split('|').every((cell, i) => i === 0 || i === 4 || cell.trim().length > 3), line);
});

test('every variable that auth-svc reads is in its help and in its page', () => {
  const text = sources(/\.c$/).join('\n');
  const names = new Set([...text.matchAll(/(?:getenv|config_text)\("([A-Z_0-9]+)"\)/g)].map(([, name]) => name));
  assert.ok(names.size >= 12 && names.has('GCE_METADATA_HOST') && names.has('AWS_SESSION_TOKEN'), [...names].join(' '));
  const help = execFileSync(path.join(BIN, 'auth-svc'), ['--help'], { encoding: 'utf8' });
  const pages = read('docs/internals/auth/credential.md') + read('README.md');
  for (const name of names) {
    assert.match(help, new RegExp(`\\b${name}\\b`), `${name} is not in --help`);
    assert.match(pages, new RegExp(`\\b${name}\\b`), `${name} is not in the page`);
  }
});

// `test_auth_grant_seal: every_changed_bit_is_noticed` -> that case of that program.
test('every test that docs/SECURITY.md names is there', () => {
  const rooms = fs.readFileSync(path.join(BIN, '../tests/rooms.txt'), 'utf8').trim().split('\n').map((line) => line.split('|'));
  const code = new Map(rooms.map(([program, , , , sources]) =>
    [program, sources.split(' ').filter((file) => file.endsWith('.c')).map((file) => fs.readFileSync(file, 'utf8')).join('\n')]));
  const page = fs.readFileSync(path.join(ROOT, 'docs/SECURITY.md'), 'utf8');
  const named = [...page.matchAll(/`(test_\w+):\s+(\w+)`/g)];
  assert.ok(named.length > 30);
  for (const [, program, name] of named)
    assert.match(code.get(program) ?? '', new RegExp(`TEST\\(\\s*${name}\\s*\\)`), `${program}: ${name}`);
  for (const [, target] of page.matchAll(/targets? ((?:`\w+`(?:, | and )?)+)/g))
    for (const [, name] of target.matchAll(/`(\w+)`/g))
      assert.ok(fs.existsSync(path.join(ROOT, `tests/fuzz/fuzz_${name}.c`)), `fuzz target ${name}`);
  for (const [, file] of page.matchAll(/`(tests\/[\w./]+)`/g)) assert.ok(fs.existsSync(path.join(ROOT, file)), file);
});
