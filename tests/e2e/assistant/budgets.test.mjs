// Answers fit what hosts show a model: every listed tool over 24 and over 200 dealers. What is cut is
// named in words, with the call that gets the rest.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Mcp } from '../set/mcp.mjs';
import { startOverWorld } from '../set/world.mjs';

for (const dealers of [24, 200]) {
  describe(`${dealers} dealers`, () => {
    let s, client;
    before(async () => {
      s = await startOverWorld({ sim: dealers === 24 ? {} : { dealers, days: 70 }, env: { gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
      client = await Mcp.connect(s.set.url);
    });
    after(() => s?.stop());
    // [tool, arguments, most bytes of the text]
    const report = 40 * 1024;
    const few = dealers === 24 ? 5500 : 6000; // hosts cut at 6,000 characters
    const calls = [
      ['compare_dealer_sessions', { subject: 'd01' }, dealers === 24 ? 4000 : 6000],
      ['compare_dealer_sessions', { region: 'West' }, few],
      ['compare_dealer_sessions', { subject: 'd01', detail: 'all' }, few],
      ['benchmark_dealer', { subject: 'd01' }, 6000],
      ['compare_trends', { subject: 'd01' }, 6000],
      ['check_data_health', {}, 7000],
      ['compare_landing_pages', { subject: 'd01' }, 6000],
      ['compare_traffic_sources', { subject: 'd01' }, 6000],
      ['explain_change', { subject: 'd01' }, 6000],
      ['analyze_vehicle_interest', {}, 8000],
      ['analyze_vehicle_interest', { limit: 200 }, 8000],
      ['vehicle_lead_conversion', {}, 6000],
      ['vehicle_lead_conversion', { limit: 200 }, 6000],
      ['vehicle_movers', {}, 6000],
      ['vehicle_movers', { limit: 200 }, 6000],
      ['run_report', { dealer: 'd01', metrics: ['sessions'], dimensions: ['pagePath', 'date'] }, report],
      ['run_report', { dealer: 'd01', metrics: ['sessions'], dimensions: ['pagePath', 'date'], limit: 250000 }, report],
      ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['sessionDefaultChannelGroup'] }, report],
      ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['pagePath'] }, report],
      ['run_realtime_report', { dealer: 'd01', metrics: ['activeUsers'] }, report],
      ['run_funnel_report', { dealer: 'd01', funnel_steps: [{ event: 'session_start' }, { event: 'page_view' }] }, report],
      ['run_pivot_report', { dealer: 'd01', metrics: ['sessions'], dimensions: ['deviceCategory'], pivots: [{ field_names: ['deviceCategory'], limit: 5 }] }, report],
      ['run_conversions_report', { dealer: 'd01', metrics: ['allConversionsByConversionDate'], dimensions: ['defaultChannelGroup'] }, report],
      ['batch_run_reports', { dealer: 'd01', requests: [{ metrics: ['sessions'], dimensions: ['pagePath'], limit: 100 },
        { metrics: ['activeUsers'], dimensions: ['date'], limit: 100 }] }, report],
      ['list_dealers', {}, report],
      ['list_dealers', { limit: 500 }, report],
      ['list_cohorts', {}, report],
      ['list_metrics', {}, 8000],
      ['list_metrics', { query: 'lead' }, 6000],
      ['get_account_summaries', {}, report],
      ['search_fields', { dealer: 'd01' }, report],
      ['search_fields', { dealer: 'd01', limit: 500 }, report],
      ['get_custom_dimensions_and_metrics', { dealer: 'd01' }, report],
      ['get_property_details', { dealer: 'd01' }, report],
      ['list_key_events', { dealer: 'd01' }, 6000],
      ['list_data_streams', { dealer: 'd01' }, 6000],
      ['list_google_ads_links', { dealer: 'd01' }, 6000],
      ['list_property_annotations', { dealer: 'd01' }, 6000],
      ['get_property_quotas', { dealer: 'd01' }, 6000],
      ['check_compatibility', { dealer: 'd01', dimensions: ['pagePath'], metrics: ['sessions'] }, report],
    ];
    test('every tool is asked', async () => {
      const { tools } = (await client.request('tools/list', {})).result;
      assert.deepEqual(tools.map((t) => t.name).filter((name) => !calls.some(([asked]) => asked === name)), []);
    });
    for (const [tool, args, most] of calls)
      test(`${tool} ${JSON.stringify(args)}`, async () => {
        const { text, isError, result } = await client.call(tool, args);
        assert.ok(!isError, text);
        assert.ok(Buffer.byteLength(text) <= most, `${Buffer.byteLength(text)} of ${most} bytes: ${text.slice(-300)}`);
        // Words outside tables are words.
        assert.doesNotMatch(text, /^\w+: [{[]/m);
        // No table is pushed out by another, and whatever is missing is said.
        const { structuredContent: s } = result;
        for (const [name, table] of Object.entries(s.rows ? { '': s } : s).filter(([, t]) => t?.rows?.length > 0)) {
          assert.doesNotMatch(text, /\(0 of \d+ rows/, name);
        }
      });

    test('a page that was cut goes on where it was cut, and nothing is lost', async () => {
      const names = [];
      let args = { dealer: 'd01', limit: 500 }, found = null;
      do {
        const { text } = await client.call('search_fields', args);
        const lines = text.split('\n');
        const head = lines.findIndex((line) => line.startsWith('api_name\t'));
        for (const line of lines.slice(head + 1)) if (/\t(dimension|metric)\t/.test(line)) names.push(line.split('\t')[0]);
        found = text.match(/call search_fields again with offset (\d+)\./);
        if (found) args = { ...args, offset: Number(found[1]) };
      } while (found && names.length < 5000);
      const { structuredContent } = (await client.call('search_fields', { dealer: 'd01', limit: 500 })).result;
      assert.deepEqual(names, structuredContent.rows.map((row) => row[0]));
    });

    if (dealers === 24)
      test('a report has 100 rows unless more are asked for', async () => {
        const { result } = await client.call('run_report', { dealer: 'd01', metrics: ['sessions'], dimensions: ['pagePath', 'date'] });
        assert.equal(result.structuredContent.rows.length, 100);
      });
  });
}
