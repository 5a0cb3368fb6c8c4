// Starts ga4-sim for a test file and makes Google's clients that talk to it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { v1alpha, BetaAnalyticsDataClient } from '@google-analytics/data';
import admin from '@google-analytics/admin';
import { OAuth2Client } from 'google-auth-library';

const program = process.env.GA4_SIM ?? new URL('../../../build/bin/ga4-sim', import.meta.url).pathname;
export const TODAY = '2026-03-10';

export async function startSim(extra = []) {
  const dir = mkdtempSync(join(tmpdir(), 'ga4-sim-e2e-'));
  const files = {
    db: join(dir, 'world.db'),
    dealers: join(dir, 'dealers.json'),
    key: join(dir, 'service-account.json'),
  };
  const child = spawn(program, ['--listen', '127.0.0.1:0', '--db', files.db, '--seed', '11',
    '--days', '60', '--today', TODAY, '--write-dealers', files.dealers,
    '--write-service-account', files.key, ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  let errors = '';
  child.stderr.on('data', (text) => { errors += text; });
  const base = await new Promise((resolve, reject) => {
    let out = '';
    child.stdout.on('data', (text) => {
      out += text;
      const found = /listening on (http:\S+)/.exec(out);
      if (found) resolve(found[1]);
    });
    ended.then(() => reject(new Error(`ga4-sim ended at once: ${errors}`)));
  });
  const dealers = JSON.parse(readFileSync(files.dealers, 'utf8')).dealers;
  const sim = { base, port: Number(new URL(base).port), dealers, files, ended, child };

  sim.db = new DatabaseSync(files.db, { readOnly: true });
  sim.sql = (text, ...args) => sim.db.prepare(text).get(...args);
  sim.all = (text, ...args) => sim.db.prepare(text).all(...args);
  sim.stop = async () => {
    sim.db.close();
    child.kill('SIGTERM');
    const result = await ended;
    rmSync(dir, { recursive: true });
    return result;
  };
  sim.control = async (method, path, body) => {
    const answer = await fetch(base + path, { method, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  sim.fault = async (fault) => {
    const { status, body } = await sim.control('POST', '/sim/faults', fault);
    if (status !== 200) throw new Error(body.error);
    return body;
  };
  sim.calm = async () => {
    await sim.control('DELETE', '/sim/faults');
    await sim.control('DELETE', '/sim/quota');
    await sim.control('DELETE', '/sim/stats');
  };
  // What Google's library does with a stored refresh token, pointed at our endpoint.
  sim.auth = (dealer) => {
    const client = new OAuth2Client({
      clientId: dealer.oauth.client_id,
      clientSecret: dealer.oauth.client_secret,
      endpoints: { oauth2TokenUrl: dealer.oauth.token_uri },
    });
    client.setCredentials({ refresh_token: dealer.oauth.refresh_token });
    return client;
  };
  const options = (authClient) => ({
    authClient, fallback: 'rest', protocol: 'http', apiEndpoint: '127.0.0.1', port: sim.port,
  });
  sim.data = (authClient) => new BetaAnalyticsDataClient(options(authClient));
  sim.dataAlpha = (authClient) => new v1alpha.AlphaAnalyticsDataClient(options(authClient));
  sim.admin = (authClient) => new admin.v1beta.AnalyticsAdminServiceClient(options(authClient));
  sim.adminAlpha = (authClient) => new admin.v1alpha.AnalyticsAdminServiceClient(options(authClient));
  sim.property = (dealer) => `properties/${dealer.properties[0]}`;
  return sim;
}

// [[dimension values..., metric values...], ...]
export const rowsOf = (report, list = 'rows') => report[list].map((row) => [
  ...row.dimensionValues.map((v) => v.value), ...row.metricValues.map((v) => v.value)]);
