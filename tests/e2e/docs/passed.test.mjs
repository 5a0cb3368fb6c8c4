// docker-compose.yml sets what the programs have, docker-compose.status.yml adds the page for operators, and .env.example
// has every variable they take.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { ROOT } from './reference.mjs';

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const compose = read('docker-compose.yml');
const status = read('docker-compose.status.yml'); // in addition to it
const load11 = (text) => load(text, { schema: YAML11_SCHEMA }); // with merges
const services = Object.entries(load11(compose).services);
const composes = ['COMPOSE_FILE']; // what Compose itself takes
// What Google's libraries call them; auth-svc reads them without a row of their own (docs/DEPLOYMENT.md).
const googles = ['GOOGLE_CLOUD_PROJECT', 'GOOGLE_CLOUD_QUOTA_PROJECT'];

// Program -> its settings, by docs/SETTINGS.md, which another test holds to --help.
const settings = new Map(read('docs/SETTINGS.md').split(/^## /m).slice(1).map((part) =>
  [part.split('\n', 1)[0].trim(), new Set([...part.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name))]));
// The program that a service runs: ${IMAGE_PREFIX:-analytics-mcp}-auth-svc:...
const programOf = ({ image }) => [...settings.keys()].find((name) => image.includes(`-${name}:`));

test('every variable that Compose sets is one of its program', () => {
  let checked = 0;
  for (const [service, one] of services) {
    const program = programOf(one);
    if (program === undefined) continue;
    for (const name of Object.keys(one.environment ?? {})) {
      assert.ok(settings.get(program).has(name) || googles.includes(name), `${service}: ${program} has no ${name}`);
      checked++;
    }
  }
  assert.ok(checked > 60, `${checked} variables`);
});

test('docker-compose.status.yml sets the page of both gateways, on loopback alone', () => {
  const both = Object.entries(load11(status).services);
  assert.deepEqual(both.map(([service]) => programOf(load11(compose).services[service])), ['gateway', 'gateway']);
  const wanted = [...settings.get('gateway')].filter((name) => name.startsWith('STATUS_')).sort();
  for (const [service, one] of both) {
    assert.deepEqual(Object.keys(one.environment).sort(), wanted, service);
    for (const port of one.ports) assert.match(port, /^127\.0\.0\.1:/, service);
  }
});

test('.env.example has the variables that Compose takes, and no others', () => {
  const taken = new Set([...(compose + status).matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name).concat(composes));
  const shown = new Set([...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name));
  assert.deepEqual([...shown].sort(), [...taken].sort());
});
