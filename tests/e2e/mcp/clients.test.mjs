// The official SDK clients against the real gateway in front of the fake services: connect,
// list, call, errors, progress, cancellation, disconnect, restart; and never an onerror.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { objects } from '../lib/answer.mjs';
import { connect, kinds } from './clients.mjs';
import { startBackend, startGateway } from './programs.mjs';

// Those of the toolset `advanced` are listed only where they are asked for.
const names = ['analyze_vehicle_interest', 'benchmark_dealer', 'check_data_health', 'compare_dealer_sessions',
  'compare_landing_pages', 'compare_traffic_sources', 'compare_trends', 'explain_change', 'get_account_summaries',
  'get_custom_dimensions_and_metrics', 'get_property_details', 'list_cohorts', 'list_dealers',
  'list_google_ads_links', 'list_metrics', 'list_property_annotations', 'run_conversions_report', 'run_funnel_report',
  'run_realtime_report', 'run_report', 'run_report_across_dealers',
  'search_fields', 'vehicle_lead_conversion', 'vehicle_movers'];

// Each kind has services and a gateway of its own, and waits more than it computes: they run side by side.
describe('the official clients', { concurrency: true }, () => {
  for (const kind of kinds) {
    describe(kind.name, { timeout: 60_000, concurrency: 1 }, () => {
      let backend, gateway;
      before(async () => {
        backend = await startBackend();
        gateway = await startGateway(backend);
      });
      after(async () => {
        assert.equal(await gateway.stop(), 0);
        assert.equal(await backend.stop(), 0);
      });

      /** Runs fn with a connected client; ends the session; no onerror may have come. */
      async function withClient(fn, options) {
        const c = await connect(kind, gateway.url, options);
        await fn(c);
        await c.close();
        await sleep(50);
        assert.deepEqual(c.errors, []);
      }

      test('connects and learns who the server is', () => withClient(async ({ client, transport }) => {
        assert.equal(client.getServerVersion().name, 'analytics-mcp');
        assert.equal(client.getServerVersion().title, 'Analytics for car dealers');
        assert.match(client.getInstructions(), /list_dealers/);
        assert.deepEqual(client.getServerCapabilities(), {
          tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true }, completions: {},
        });
        if (kind.modern) {
          assert.equal(transport.sessionId, undefined);
        } else {
          assert.match(transport.sessionId, /^[\w-]{64,127}$/);
          await client.ping();
        }
      }));

      test('lists the tools with schemas its validator compiles', () => withClient(async ({ client }) => {
        const { tools, nextCursor } = await client.listTools();
        assert.deepEqual(tools.map((t) => t.name), names);
        assert.equal(nextCursor, undefined);
        for (const tool of tools) {
          assert.equal(tool.inputSchema.type, 'object');
          assert.equal(tool.outputSchema.type, 'object');
          assert.equal(tool.annotations.readOnlyHint, true);
          assert.ok(tool.title && tool.description.length > 80);
        }
      }));

      test('reads resources and prompts, and gets an error for what does not exist', () => withClient(async ({ client }) => {
        const { resources } = await client.listResources();
        assert.deepEqual(resources.map((r) => r.uri), ['analytics://regions', 'analytics://dealers', 'analytics://metrics', 'ui://analytics/bars', 'ui://analytics/lines']);
        const type = (r) => (r.uri.startsWith('ui:') ? 'text/html;profile=mcp-app' : 'text/plain');
        assert.ok(resources.every((r) => r.title && r.description && r.mimeType === type(r)));
        const { resourceTemplates } = await client.listResourceTemplates();
        assert.deepEqual(resourceTemplates.map((t) => t.uriTemplate).toSorted(), ['analytics://dealers/{dealer}',
          'analytics://dealers/{dealer}/fields/{field}', 'analytics://metrics/{metric}', 'analytics://regions/{region}']);
        const one = await client.readResource({ uri: 'analytics://dealers/Ford%20of%20Portland' });
        assert.match(one.contents[0].text, /d01\tFord of "Portland"/);
        const { contents } = await client.readResource({ uri: 'analytics://dealers' });
        assert.equal(contents[0].uri, 'analytics://dealers');
        assert.match(contents[0].text, /d01\tFord of "Portland"/);
        await assert.rejects(client.readResource({ uri: 'analytics://nothing' }), (e) => e.code === -32002 || e.code === -32602);
        const { prompts } = await client.listPrompts();
        assert.deepEqual(prompts.map((p) => p.name), ['models_of_interest', 'website_against_region', 'monthly_review']);
        const { messages } = await client.getPrompt({ name: 'website_against_region', arguments: { dealer: 'Ford of Reno' } });
        assert.match(messages[0].content.text, /website of Ford of Reno performing relative to its region over the last four complete weeks/);
        await assert.rejects(client.getPrompt({ name: 'monthly_review' }), (e) => e.code === -32602 && /dealer is required/.test(e.message));
      }));

      test('completes the name of a dealer', () => withClient(async ({ client }) => {
        const ref = { type: 'ref/prompt', name: 'monthly_review' };
        const { completion } = await client.complete({ ref, argument: { name: 'dealer', value: 'Fo' } });
        assert.deepEqual(completion, { values: ['Ford of "Portland"\n'], total: 1, hasMore: false });
        const none = await client.complete({ ref, argument: { name: 'month', value: '2' } });
        assert.deepEqual(none.completion.values, []);
      }));

      test('calls a tool; the structured result fits its schema and the text has the same data', () =>
        withClient(async ({ client, call }) => {
          await client.listTools(); // from here on the client checks results against the schemas
          const result = await call('list_dealers', { query: 'ford' });
          assert.ok(!result.isError);
          const [dealer] = objects(result.structuredContent);
          assert.equal(dealer.name, 'Ford of "Portland"\n');
          // In the text a line end inside a value is a blank, so that a row stays one line.
          assert.ok(result.content[0].text.includes(`${dealer.dealer_id}\tFord of "Portland" \t`), result.content[0].text);
          const report = await call('run_report', { dealer_id: 'd01', metrics: ['sessions'] });
          assert.ok(!report.isError);
        }));

      test('gets failures of tools as results that say what to do', () => withClient(async ({ call }) => {
        const cases = [
          ['list_dealers', { region: 'nowhere' }, /regions are West/],
          ['list_dealers', { limit: 501 }, /limit/],
          ['list_dealers', { limit: 'many' }, /limit/],
          ['run_report', { dealer_id: 'quota', metrics: ['sessions'] }, /quota exhausted/],
          ['run_report', { dealer_id: 'd01', metrics: Array(11).fill('sessions') }, /at most 10/],
          ['get_account_summaries', {}, /does not know/],
        ];
        for (const [name, args, text] of cases) {
          const result = await call(name, args);
          assert.equal(result.isError, true, name);
          assert.match(result.content[0].text, text);
        }
      }));

      test('gets an unknown tool as an invalid-params error', () => withClient(async ({ call }) => {
        await assert.rejects(call('no_such_tool', {}), (e) => e.code === -32602);
      }));

      test('sees progress rise while a long tool runs', () => withClient(async ({ client, call }) => {
        await client.listTools();
        const seen = [];
        const result = await call('compare_dealer_sessions', { region: 'West' }, {
          onprogress: (p) => seen.push(p),
        });
        assert.deepEqual(seen.map((p) => p.progress), [1, 2, 3]);
        assert.equal(seen[0].message, '1 of 3 dealers');
        assert.equal(objects(result.structuredContent.dealers)[0].sessions, '9007199254740993');
      }));

      test('waits through a slow call without progress: the answer turns into a stream', () =>
        withClient(async ({ call }) => {
          const result = await call('compare_dealer_sessions', { region: 'slow' });
          assert.match(result.content[0].text, /20 % above/);
        }));

      test('cancels a call, and the service hears of it', () => withClient(async ({ call }) => {
        const count = async () => (await call('list_dealers', { query: 'cancels' })).structuredContent.total;
        const before = await count();
        for (const options of [{}, { onprogress: () => {} }]) {
          const abort = new AbortController();
          const pending = call('compare_dealer_sessions', { region: 'hang' }, { signal: abort.signal, ...options });
          setTimeout(() => abort.abort('enough'), 500);
          await assert.rejects(pending);
        }
        for (let i = 0; i < 100 && (await count()) < before + 2; i++) await sleep(100);
        assert.equal(await count(), before + 2);
      }));

      test('hears that its lists changed when it sees other dealers than before', async () => {
        const own = await startGateway(backend, { env: { ANALYTICS_MCP_STREAM_CHECK_S: '1' } });
        const heard = [];
        let client;
        const changes = new Promise((resolve) => {
          const onChanged = (what) => (error, list) => {
            if (heard.length === 2) return; // the client may be closed by now
            assert.ifError(error);
            heard.push([what, list?.length]);
            if (heard.length === 2) resolve();
          };
          const listChanged = { tools: { onChanged: onChanged('tools') }, prompts: { onChanged: onChanged('prompts') } };
          client = connect(kind, own.url, { token: 'good-moving', options: { listChanged } });
        });
        await changes;
        await (await client).close();
        assert.deepEqual(heard.toSorted(), [['prompts', 3], ['tools', names.length]]);
        assert.equal(await own.stop(), 0);
      });

      test('runs many calls at once', () => withClient(async ({ call }) => {
        const results = await Promise.all(Array.from({ length: 40 }, (_, i) =>
          (i % 2 ? call('list_dealers', {}) : call('compare_dealer_sessions', { region: 'West' }))));
        assert.ok(results.every((r) => !r.isError && r.structuredContent));
      }));

      test('is refused without or with wrong credentials', async () => {
        for (const token of ['', 'nonsense']) {
          await assert.rejects(connect(kind, gateway.url, { token }), (e) => {
            assert.match(String(e.message) + String(e.code ?? e.status ?? ''), /401|Unauthorized|credentials/i);
            return true;
          });
        }
      });

      test('after a restart of the gateway a session is gone (404) and a new one works', async () => {
        const old = await connect(kind, gateway.url);
        await old.call('list_dealers', {});
        const { port } = gateway;
        assert.equal(await gateway.stop(), 0);
        gateway = await startGateway(backend, { port });
        if (kind.modern)
          assert.ok(!(await old.call('list_dealers', {})).isError);
        else
          await assert.rejects(old.call('list_dealers', {}), (e) => {
            assert.match(String(e.message) + String(e.code ?? ''), /404|not found/i);
            return true;
          });
        await old.client.close();
        await withClient(async ({ call }) => assert.ok(!(await call('list_dealers', {})).isError));
      });
    });
  }
});
