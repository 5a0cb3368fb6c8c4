// What cannot be had here is skipped with its reason; what is wrong with us fails. Programs in place of go and npm
// say what the real ones say.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'others-'));
const bin = path.join(folder, 'bin');
let others;

before(async () => {
  fs.mkdirSync(bin);
  process.env.PATH = bin;
  process.env.BUILD_DIR = folder;
  process.env.AMCP_CACHE = folder;
  others = await import('./others.mjs');
  fs.writeFileSync(path.join(folder, 'go.mod'), 'module x\n\ngo 1.25.0\n');
  for (const file of ['package.json', 'package-lock.json']) fs.writeFileSync(path.join(folder, file), '{}');
});
after(() => fs.rmSync(folder, { recursive: true }));

// A program that prints on standard output for the arguments that begin so, else ends with an error.
function program(name, answers, error = '') {
  const cases = Object.entries(answers).map(([word, text]) => `${word}) echo '${text}'; exit 0;;`).join('\n');
  fs.writeFileSync(path.join(bin, name), `#!/bin/sh\ncase "$1" in\n${cases}\nesac\necho '${error}' >&2\nexit 1\n`, { mode: 0o755 });
}

const go = () => others.having(() => others.goProgram(folder));
const npm = () => others.having(() => others.npmPrograms(folder));

describe('what this machine cannot do is a reason', () => {
  test('no program of that name', () => {
    assert.equal(go().why, 'go is not installed');
    assert.equal(npm().why, 'npm is not installed');
  });
  test('a toolchain that is too old', () => {
    program('go', { version: 'go version go1.19.8 linux/amd64' });
    assert.equal(go().why, 'go 1.19 is older than 1.25');
    program('go', {}, 'go: go.mod requires go >= 1.25.0 (running go 1.24.4; GOTOOLCHAIN=local)');
    assert.match(go().why, /requires go >= 1\.25\.0/);
  });
  test('a registry that cannot be reached', () => {
    program('go', { version: 'go version go1.26.1 linux/amd64' }, 'go: x/y@v1: Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host');
    assert.match(go().why, /^go reaches no registry: go: x\/y@v1: Get .* no such host$/);
    program('npm', {}, 'npm error code ECONNREFUSED\nnpm error A complete log of this run can be found in: /x');
    assert.equal(npm().why, 'npm reaches no registry: code ECONNREFUSED');
  });
});

describe('what is wrong with us is an error', () => {
  test('a checksum, a program that does not compile', () => {
    program('go', { version: 'go version go1.26.1 linux/amd64' }, 'verifying x@v1: checksum mismatch');
    assert.throws(go, /go mod download: verifying x@v1: checksum mismatch/);
    program('go', { version: 'go version go1.26.1 linux/amd64', mod: '' }, './main.go:3:1: syntax error');
    assert.throws(go, /syntax error/);
  });
  test('a lock file that is not in step', () => {
    program('npm', {}, 'npm error code EUSAGE\nnpm error\nnpm error Missing: x@ from lock file');
    assert.throws(npm, /npm ci .*: code EUSAGE; Missing: x@ from lock file/);
    assert.deepEqual(fs.readdirSync(path.join(folder, 'e2e')), [], 'nothing counts as installed');
  });
});
