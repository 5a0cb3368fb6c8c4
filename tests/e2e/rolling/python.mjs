// A Python with the official SDK: AMCP_PYTHON_MCP names one; else a virtual environment of the build
// directory, made once from PyPI. { python } or { why } there is none.
import path from 'node:path';
import { pythonWith } from '../lib/venv.mjs';

export const findPython = (build) =>
  pythonWith({
    folder: path.join(build, 'e2e-python'),
    requirement: 'mcp==2.3.0',
    module: 'mcp.client.streamable_http',
    named: ['AMCP_PYTHON_MCP', process.env.AMCP_PYTHON_MCP],
  });
