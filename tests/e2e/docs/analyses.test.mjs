// The answers in docs/ANALYSES.md are those that the programs give to their questions: asked again here, on the page's
// day (tests/at.sh moves the clock) and over its world, every line must be as shown. UPDATE_DOCS=1 writes them into
// the page; then read what it says about them. Where the clock cannot be moved (sanitizers) the answers of today must
// have the lines and columns.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Mcp } from '../set/mcp.mjs';
import { finishedSunday } from '../set/truth.mjs';
import { BUILD, ROOT, startOverWorld } from '../set/world.mjs';
import { blocksTo, DAY, shown, SUNDAY, withBlock } from './analyses.mjs';

const PAGE = path.join(ROOT, 'docs/ANALYSES.md');
const sanitized = () => /^AMCP_SANITIZE:\w+=(?!OFF$).+/m.test(fs.readFileSync(path.join(BUILD, 'CMakeCache.txt'), 'utf8'));

const there = process.env.ANALYSES_DAY === DAY;

if (!there && !sanitized()) {
  test('the_answers_that_the_page_shows_are_those_of_its_day', () => {
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const args = [path.join(ROOT, 'tests/at.sh'), `${DAY} 15:00`, process.execPath, '--no-warnings', '--test', '--test-reporter=spec', import.meta.filename];
    const { status, stdout, stderr } = spawnSync('bash', args, { env: { ...env, ANALYSES_DAY: DAY }, encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, new RegExp(`pass ${blocksTo(SUNDAY).length}$`, 'm'));
  });
} else {
  const sets = new Map();
  const clientOf = async (world = {}) => {
    const key = JSON.stringify(world);
    if (!sets.has(key)) {
      const s = await startOverWorld({ sim: { ...(there && { today: DAY }), ...world } });
      sets.set(key, { s, client: await Mcp.connect(s.set.url) });
    }
    return sets.get(key).client;
  };
  after(async () => {
    for (const { s } of sets.values()) await s.stop();
  });

  for (const { heading, world, calls } of blocksTo(there ? SUNDAY : finishedSunday()))
    test(heading, async () => {
      const client = await clientOf(world), parts = [];
      for (const [tool, args, what] of calls) {
        const answer = await client.call(tool, args);
        assert.equal(answer.isError, false, answer.text);
        if (process.env.PRINT) console.log(answer.text);
        parts.push(...shown(answer.text, there ? what : { ...what, tables: what.tables.map(({ columns }) => ({ columns, rows: () => true })) }));
      }
      if (!there) return;
      const text = parts.map((lines) => lines.join('\n')).join('\n\n');
      const { before, page } = withBlock(fs.readFileSync(PAGE, 'utf8'), heading, text);
      if (process.env.UPDATE_DOCS) fs.writeFileSync(PAGE, page);
      else assert.equal(before, text, `docs/ANALYSES.md, "${heading}": UPDATE_DOCS=1 writes what the programs answer`);
    });
}
