// kill -9 of auth-svc, the gateway or (over PostgreSQL) the database at random moments of a consent: what
// is on disk as stored is never lost, and no page ever says "connected" of a dealer that is not.
import assert from 'node:assert/strict';
import { execFileSync, execSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStage } from './stage.mjs';

const KILLS = Number(process.env.AMCP_CONNECT_KILLS || 10);
const PER_DEALER = 4; // kills in the way of one dealer, who goes on after each
const DATABASE = process.env.AMCP_TEST_DATABASE_URL;
const VICTIMS = DATABASE ? ['auth', 'database', 'gateway'] : ['auth', 'auth', 'gateway'];

describe(`${KILLS} kills`, () => {
  let s, whole = 300;
  before(async () => { s = await startStage(); });
  after(async () => { await s?.stop(); });

  const kill = (victim) => (victim === 'database' ? execSync(`${process.env.AMCP_TEST_SERVER} kill`) : s.set.stopOne(victim, { signal: 'SIGKILL' }));
  const startDatabase = () => execSync(`${process.env.AMCP_TEST_SERVER} start`);

  // The dealers that are on disk now.
  const stored = () => {
    if (DATABASE) {
      const body = execFileSync('psql', ['-Atc', "SELECT body FROM connect_list WHERE name = 'dealers'", DATABASE], { encoding: 'utf8' });
      return new Set(JSON.parse(body).map((d) => d.dealer.dealer_id));
    }
    const file = path.join(s.dir, 'state/connect/connected');
    return fs.existsSync(file) ? new Set(JSON.parse(fs.readFileSync(file, 'utf8')).dealers.map((d) => d.dealer.dealer_id)) : new Set();
  };

  // A store that could not reach the database a moment ago says so for a second.
  async function connections() {
    for (let end = Date.now() + 20_000; ; await sleep(50))
      try {
        return s.connections();
      } catch (error) {
        if (Date.now() > end || !DATABASE) throw error;
      }
  }

  // A person who does not give up: begins again with the same link, in the same browser. What became of it.
  async function attempt(w, d, link) {
    try {
      const page = await w.connect(d, link);
      return page.text;
    } catch (error) {
      if (error.name === 'AssertionError') throw error;
      return `no answer: ${error.cause?.code ?? error.message}`;
    }
  }

  test('lose no consent and announce none too early', async () => {
    const outcomes = { connected: 0, later: 0 };
    const warm = s.dealer();
    for (let said = '', tries = 0; !/is connected/.test(said); tries++) { // on a busy machine Google may be slow first
      assert.ok(tries < 3, said);
      const from = Date.now();
      said = await attempt(s.walker(), warm, s.invite(warm));
      whole = Date.now() - from;
    }
    const known = new Set([warm.dealer_id]);
    for (let i = 0; i < KILLS; i += PER_DEALER) {
      const d = s.dealer(), link = s.invite(d, '--ttl', '24h');
      for (let k = 0; k < PER_DEALER && i + k < KILLS; k++) {
        const victim = VICTIMS[(i + k) % VICTIMS.length], w = s.walker(), before = stored();
        const page = attempt(w, d, link);
        await sleep(Math.random() * whole);
        await kill(victim);
        if (victim === 'database') startDatabase();
        const onDisk = stored();
        for (const id of [...known, ...before]) assert.ok(onDisk.has(id), `${id} was lost on disk`);
        if (victim !== 'database') await s.set.startOne(victim);
        const said = await page;
        if (onDisk.has(d.dealer_id)) known.add(d.dealer_id);
        const live = await connections();
        if (/is connected<\/h1>/.test(said)) {
          assert.equal(live.get(d.dealer_id), 'ok', 'a page said so');
          known.add(d.dealer_id);
          outcomes.connected++;
        } else {
          outcomes.later++;
        }
        for (const id of known) assert.equal(live.get(id), 'ok', `${id} was stored before ${victim} was killed`);
      }
      if (!known.has(d.dealer_id)) {
        // The session that holds the link may have to end first; a new link is what the page advises.
        const again = await attempt(s.walker(), d, s.invite(d));
        assert.match(again, /is connected/, 'who goes on gets there');
        known.add(d.dealer_id);
      }
    }
    console.log(`of ${KILLS} kills: ${JSON.stringify(outcomes)}, ${known.size} dealers connected, a consent takes ${whole} ms`);
    s.audit();
  });
});
