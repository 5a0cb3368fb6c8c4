// What the code says of settings and metrics, for the tests that hold the documentation to it.
//
//   node tests/e2e/docs/reference.mjs          writes docs/SETTINGS.md again
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BUILD, ROOT } from '../lib/build.mjs';

export { ROOT };
export const BIN = path.join(BUILD, 'bin');
export const PROGRAMS = ['gateway', 'auth-svc', 'report-svc', 'aggregate-svc'];
const SETTINGS = path.join(ROOT, 'docs/SETTINGS.md');

// [{ name, meaning, standard }] of a program, from its --help.
export function settingsOf(program) {
  const help = execFileSync(path.join(BIN, program), ['--help'], { encoding: 'utf8' });
  const lines = help.slice(help.indexOf('Settings are')).split('\n').slice(1);
  return lines.flatMap((line) => {
    const found = /^ {2}([A-Z][A-Z0-9_]+) +(.*?)(?: \[([^\]]*)\])?$/.exec(line);
    return found ? [{ name: found[1], meaning: found[2], standard: found[3] ?? '' }] : [];
  });
}

function table(program) {
  const cell = (text) => text.replaceAll('|', '\\|');
  const rows = settingsOf(program).map(({ name, meaning, standard }) =>
    `| \`${name}\` | ${cell(meaning)} | ${standard && `\`${standard}\``} |`);
  return [`## ${program}`, '', '| variable | meaning | default |', '|---|---|---|', ...rows, ''].join('\n');
}

// The page, with the part that is made from --help as it is now.
export function settingsPage() {
  const now = fs.readFileSync(SETTINGS, 'utf8');
  return now.slice(0, now.indexOf('\n## ') + 1) + PROGRAMS.map(table).join('\n');
}

// Every metric that the code makes: name -> { type, labels }.
export function metricsOfTheCode() {
  const rooms = ['common', 'auth-svc', 'report-svc', 'aggregate-svc', 'gateway'];
  const files = rooms.flatMap((room) => fs.readdirSync(path.join(ROOT, room), { recursive: true })
    .filter((name) => name.endsWith('.c')).map((name) => path.join(ROOT, room, name)));
  const made = /metrics_(counter|gauge|histogram)\(\s*"(\w+)",\s*((?:"[^"]*"\s*)+),([^;]*?)NULL\)/g;
  const all = new Map();
  for (const file of files)
    for (const [, type, name, , labels] of fs.readFileSync(file, 'utf8').matchAll(made))
      all.set(name, { type, labels: [...labels.matchAll(/"(\w+)"/g)].map(([, label]) => label) });
  return all;
}

if (process.argv[1] === import.meta.filename) fs.writeFileSync(SETTINGS, settingsPage());
