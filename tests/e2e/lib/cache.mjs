// What tests fetch from registries, made once and shared by all builds of this user: AMCP_CACHE, else
// ~/.cache/analytics-mcp.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const CACHE = path.join(process.env.AMCP_CACHE ?? path.join(os.homedir(), '.cache/analytics-mcp'), 'e2e');

// A folder by the name of what is in it, which says all that it is made of; `make` is given the folder that it
// fills. It is made beside and moved to its place when whole: tests that begin at once never see a part. One that
// is no longer good, after an upgrade of the system say, is made again.
export function cached(name, make, good = () => true) {
  const folder = path.join(CACHE, name);
  if (fs.existsSync(folder)) {
    if (good(folder)) return folder;
    fs.rmSync(folder, { recursive: true, force: true });
  }
  fs.mkdirSync(CACHE, { recursive: true });
  const own = fs.mkdtempSync(`${folder}.`);
  try {
    make(own);
    fs.renameSync(own, folder);
  } catch (error) {
    fs.rmSync(own, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another test was first
  }
  return folder;
}

// For names: the beginning of a text's hash.
export const digest = (text) => crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
