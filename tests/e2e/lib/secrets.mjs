// Looks for secrets in what programs printed and in what can be seen of them from outside.
//
//   const scan = new SecretScan();
//   scan.addFile(dealersFile);
//   scan.add('JWT secret', value);
//   scan.look('auth stderr', text);      // any number of times
//   scan.findings                        // ['auth stderr holds refresh_token no. 2 as base64: ...']
//
// A secret is found as it is and as base64 (at any offset), base64url, hexadecimal, percent-encoded
// and escaped in JSON. A finding names the secret and shows the text before it, never the secret.
import fs from 'node:fs';

const SHORTEST = 8; // bytes; shorter values would be found by chance
// Members of JSON files that are secret.
const MEMBER = /"(client_secret|refresh_token|private_key|access_token)"\s*:\s*("(?:[^"\\]|\\.)*")/g;
// Variables that are secret, and those that name a file with a secret.
const VARIABLE = /^(AUTH_SEAL_KEY|AUTH_JWT_HS256_SECRET|OTEL_EXPORTER_OTLP_HEADERS)$/;
const FILE_VARIABLE = /^(AUTH_SEAL_KEY_FILE|AUTH_JWT_HS256_SECRET_FILE|AUTH_KEYRING_FILE)$/;
const JSON_VARIABLE = /^GA_CREDENTIALS_JSON$/;
// Texts that are secret whatever they hold.
const PATTERNS = [
  ['a signed token', /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/],
  ['a bearer token', /\bBearer [\w.~+/-]{12,}/i],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
];
// What every access token of Google and of the simulator begins with.
const ACCESS_TOKEN = 'ya29.';

// The base64 characters that stand for these bytes and nothing else, when `before` bytes precede.
function base64At(bytes, before) {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').replace(/=+$/, '');
  const first = Math.ceil((before * 8) / 6);
  const last = Math.floor(((before + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

// [form, text] for each way to write a secret.
export function formsOf(secret) {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((before) => base64At(bytes, before));
  const hex = bytes.toString('hex');
  const forms = [
    ['plain text', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['JSON', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    ['percent encoding', encodeURIComponent(secret)],
    ['percent encoding', encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (x) => x.toLowerCase())],
    ['hexadecimal', hex],
    ['hexadecimal', hex.toUpperCase()],
    ...base64.map((text) => ['base64', text]),
    ...base64.map((text) => ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')]),
  ];
  const seen = new Set();
  return forms.filter(([, text]) => !seen.has(text) && seen.add(text));
}

export class SecretScan {
  #forms = []; // { name, form, text }
  #known = new Set();
  findings = [];

  constructor() {
    for (const [form, text] of formsOf(ACCESS_TOKEN)) this.#forms.push({ name: 'an access token', form, text });
  }

  get size() {
    return this.#known.size;
  }

  // One secret. Of a private key every line is looked for, since a part of it is enough to harm.
  add(name, value) {
    for (const part of String(value).split(/\s+/)) {
      if (part.length < SHORTEST || part.includes('-----') || this.#known.has(part)) continue;
      this.#known.add(part);
      for (const [form, text] of formsOf(part)) this.#forms.push({ name, form, text });
    }
  }

  // The secret members of a JSON text, however broken it is.
  addJson(text) {
    let n = 0;
    for (const [, member, literal] of text.matchAll(MEMBER)) {
      n++;
      try {
        this.add(`${member} no. ${n}`, JSON.parse(literal));
      } catch {
        this.add(`${member} no. ${n}`, literal.slice(1, -1));
      }
    }
  }

  addFile(file) {
    if (file && fs.existsSync(file) && fs.statSync(file).isFile()) this.addJson(fs.readFileSync(file, 'utf8'));
  }

  // The secrets among a program's variables.
  addEnvironment(env) {
    for (const [name, value] of Object.entries(env)) {
      if (value == null) continue;
      if (VARIABLE.test(name)) String(value).split(/[\s,]+/).forEach((part) => this.#addKey(name, part));
      if (JSON_VARIABLE.test(name)) this.addJson(String(value));
      if (FILE_VARIABLE.test(name) && fs.existsSync(value))
        fs.readFileSync(value, 'utf8').split(/[\s,]+/).forEach((part) => this.#addKey(name, part));
    }
  }

  // Keys of a keyring are "id:key"; the id is no secret.
  #addKey(name, text) {
    this.add(name, text.replace(/^[\w.-]+:/, ''));
  }

  look(where, text) {
    for (const { name, form, text: wanted } of this.#forms) this.#note(where, text, name, form, text.indexOf(wanted));
    for (const [name, pattern] of PATTERNS) this.#note(where, text, name, 'plain text', text.search(pattern));
  }

  #note(where, text, name, form, at) {
    if (at < 0) return;
    const line = text.lastIndexOf('\n', at) + 1;
    const before = text.slice(Math.max(line, at - 120), at).replace(/[^\x20-\x7e]/g, '?');
    const finding = `${where} holds ${name} as ${form}, after: ${before}`;
    if (!this.findings.includes(finding)) this.findings.push(finding);
  }
}
