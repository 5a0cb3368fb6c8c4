// The build under test.
import fs from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../../..');
export const BUILD = path.resolve(process.env.BUILD_DIR ?? path.join(ROOT, 'build'));

// The simulator may be another build's: it takes the part of Google, and is not what is tested.
export const SIM = path.resolve(process.env.AMCP_SIM ?? path.join(BUILD, 'bin/ga4-sim'));

// Sanitizers slow everything down and keep freed memory.
export const sanitized = /^AMCP_SANITIZE:\w+=\w/m.test(fs.readFileSync(path.join(BUILD, 'CMakeCache.txt'), 'utf8'));

// How long a program may take for what takes `ms` at most, in this build.
export const patient = (ms) => (sanitized ? 4 * ms : ms);
