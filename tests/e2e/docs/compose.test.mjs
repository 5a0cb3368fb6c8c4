// docker-compose.yml passes the settings of tracing on to every service, demo and live, and .env.example has each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { BIN, ROOT } from './reference.mjs';

const PROGRAMS = ['gateway', 'auth-svc', 'report-svc', 'aggregate-svc'];
// One name for all would make the services one; a file would have to be mounted.
const LEFT_OUT = ['OTEL_SERVICE_NAME', 'OTEL_EXPORTER_OTLP_CERTIFICATE'];
const otelOf = (text) => [...new Set(text.match(/\bOTEL_[A-Z_]+/g))].sort();

const { services } = load(fs.readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { schema: YAML11_SCHEMA }); // with merges
const servicesOf = (program) => Object.values(services).filter(({ build, command }) => build?.target === program && !command);

for (const program of PROGRAMS)
  test(`${program}, demo and live, gets what its --help names`, () => {
    const help = execFileSync(path.join(BIN, program), ['--help'], { encoding: 'utf8' });
    const wanted = otelOf(help).filter((name) => !LEFT_OUT.includes(name));
    assert.ok(wanted.length >= 8, help);
    assert.equal(servicesOf(program).length, 2);
    for (const { environment } of servicesOf(program)) {
      assert.deepEqual(Object.keys(environment).filter((name) => name.startsWith('OTEL_')).sort(), wanted);
      for (const name of wanted) assert.equal(environment[name], `\${${name}:-}`);
    }
    const example = fs.readFileSync(path.join(ROOT, '.env.example'), 'utf8');
    assert.deepEqual(otelOf(example.match(/^#?OTEL_[A-Z_]+(?==)/gm).join(' ')), wanted);
  });
