// A Python with the official SDK: AMCP_PYTHON_MCP names one; else a virtual environment of the build
// directory, made once from PyPI. { python } or { why } there is none.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const VERSION = '2.3.0';
const MAKE_MS = 120_000;

const run = (program, args, timeout = 30_000) => execFileSync(program, args, { timeout, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

function works(python) {
  try {
    run(python, ['-c', 'import mcp.client.streamable_http']);
    return true;
  } catch {
    return false;
  }
}

function make(folder) {
  fs.mkdirSync(folder, { recursive: true });
  run('python3', ['-m', 'venv', folder], MAKE_MS);
  run(path.join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '--retries', '1', `mcp==${VERSION}`], MAKE_MS);
}

export function findPython(build) {
  const named = process.env.AMCP_PYTHON_MCP;
  if (named) return works(named) ? { python: named } : { why: `${named} (AMCP_PYTHON_MCP) cannot import mcp` };
  const folder = path.join(build, 'e2e-python');
  const python = path.join(folder, 'bin/python');
  if (fs.existsSync(python) && works(python)) return { python };
  try {
    make(folder);
  } catch (error) {
    const detail = String(error.stderr || error.message).trim().split('\n').at(-1);
    return { why: `mcp ${VERSION} could not be installed from PyPI: ${detail}` };
  }
  return works(python) ? { python } : { why: `mcp ${VERSION} was installed but cannot be imported` };
}
