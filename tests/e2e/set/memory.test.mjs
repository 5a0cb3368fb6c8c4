// What large reports cost in resident memory: 250,000 rows of one dealer through report-svc, and 10,000
// rows of each of 200 dealers through both services. The stub answers; the peak is the kernel's (VmHWM),
// since the start, so that each case has a set of its own. A sanitizer's memory is not the product's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { sanitized } from '../lib/build.mjs';
import { startSet } from '../lib/set.mjs';
import { Mcp } from './mcp.mjs';

const peak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const ask = { metrics: ['sessions'], dimensions: ['pagePath'], date_range: { start_date: '8daysAgo', end_date: '2daysAgo' } };

/** Asks for `rows` of each dealer; the peaks of both services in MiB. */
async function peaks(t, dealers, rows) {
  const set = await startSet({
    sim: { stub: true, dealers, stubRows: rows },
    env: { aggregate: { AGGREGATE_MAX_ROWS: 2_000_000 } },
  });
  try {
    const client = await Mcp.connect(set.url);
    const answer = await client.data('run_report_across_dealers', { ...ask, limit_per_dealer: 1, pooled_limit: 1 });
    assert.equal(answer.coverage.ok, dealers);
    assert.ok(answer.dealers.every((d) => d.row_count === rows));
    assert.equal(answer.pooled_row_count, rows);
    assert.equal(answer.pooled[0].metric_values[0], 100 * dealers);
    const { date_range, ...rest } = ask;
    const whole = await client.call('run_report', { ...rest, dealer_id: answer.dealers[0].dealer_id, date_ranges: [date_range], limit: 250_000 });
    assert.ok(!whole.isError, whole.text);
    if (rows > 100_000) assert.ok(whole.result.structuredContent.next_offset > 0, 'what does not fit is on another page');
    const found = { report: peak(set.pid('report')), aggregate: peak(set.pid('aggregate')) };
    t.diagnostic(`${dealers} dealers x ${rows} rows: report-svc ${found.report.toFixed(1)} MiB, aggregate-svc ${found.aggregate.toFixed(1)} MiB`);
    return found;
  } finally {
    await set.stop();
  }
}

describe('resident memory', { skip: sanitized && 'a sanitizer keeps memory of its own', timeout: 300_000 }, () => {
  test('250,000 rows of one dealer pass report-svc in 64 MiB', async (t) => {
    const { report } = await peaks(t, 1, 250_000);
    assert.ok(report < 64, `${report} MiB`);
  });

  test('10,000 rows of each of 200 dealers take 128 MiB in each service', async (t) => {
    const { report, aggregate } = await peaks(t, 200, 10_000);
    assert.ok(report < 128, `report-svc ${report} MiB`);
    assert.ok(aggregate < 128, `aggregate-svc ${aggregate} MiB`);
  });
});
