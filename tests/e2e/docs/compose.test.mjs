// docker-compose.yml sets what the programs have, and .env.example has every variable it takes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { ROOT } from './reference.mjs';

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const compose = read('docker-compose.yml');
// This loader leaves the merge key of YAML 1.1 to us.
const merged = ({ '<<': base = {}, ...own }) => ({ ...base, ...own });
const services = Object.entries(load(compose).services)
  .map(([name, one]) => [name, { ...merged(one), environment: merged(one.environment ?? {}) }]);
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
    for (const name of Object.keys(one.environment)) {
      assert.ok(settings.get(program).has(name) || googles.includes(name), `${service}: ${program} has no ${name}`);
      checked++;
    }
  }
  assert.ok(checked > 60, `${checked} variables`);
});

test('.env.example has the variables that docker-compose.yml takes, and no others', () => {
  const taken = new Set([...compose.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name));
  const shown = new Set([...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name));
  assert.deepEqual([...shown].sort(), [...taken].sort());
});

test('all live services pass on the settings of traces', () => {
  for (const [service, one] of services.filter(([name]) => name.startsWith('live-')))
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG',
      'OTEL_RESOURCE_ATTRIBUTES']) assert.ok(name in one.environment, `${service}: ${name}`);
});
