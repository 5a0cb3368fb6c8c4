// Dealers change while clients are connected: those who see others than before hear of it, and
// nobody else does.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { authSettings, jwt, secret } from '../set/tokens.mjs';
import { objects } from '../lib/answer.mjs';
import { startOverWorld } from '../set/world.mjs';
import { connect, kinds } from './clients.mjs';

const key = secret();
let set, file;
before(async () => {
  const { gateway, auth } = authSettings(key);
  ({ set } = await startOverWorld({
    env: { gateway: { ...gateway, ANALYTICS_MCP_STREAM_CHECK_S: '1' }, auth: { ...auth, AUTH_CONFIG_CHECK_S: '1' } },
  }));
  file = JSON.parse(fs.readFileSync(set.dealersFile, 'utf8'));
});
after(async () => {
  await set?.stop();
});

async function listener(kind, region) {
  const heard = new EventEmitter();
  heard.count = 0;
  const onChanged = (error) => {
    assert.ifError(error);
    heard.count++;
    heard.emit('change');
  };
  const token = jwt(key, { sub: region, role: 'group', regions: [region] });
  const c = await connect(kind, set.url, { token, options: { listChanged: { tools: { onChanged } } } });
  const names = async () => objects((await c.call('list_dealers', {})).structuredContent).map((d) => d.name);
  return { ...c, heard, names };
}

for (const kind of kinds)
  test(`${kind.name}: whoever loses a dealer hears of it, and whoever gets it back`, { timeout: 90_000 }, async () => {
    const { region, dealer_id, name } = file.dealers[0];
    const other = file.dealers.find((d) => d.region !== region).region;
    const west = await listener(kind, region), east = await listener(kind, other);
    assert.ok((await west.names()).includes(name));
    for (const there of [false, true]) {
      const dealers = file.dealers.filter((d) => there || d.dealer_id !== dealer_id);
      const changed = once(west.heard, 'change');
      fs.writeFileSync(set.dealersFile, JSON.stringify({ ...file, dealers }), { mode: 0o600 });
      await changed;
      assert.equal((await west.names()).includes(name), there);
    }
    assert.equal(west.heard.count, 2);
    assert.equal(east.heard.count, 0, 'looked at as often, and sees the same');
    for (const c of [west, east]) {
      await c.close();
      assert.deepEqual(c.errors, []);
    }
  });
