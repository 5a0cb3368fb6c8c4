// A Python with the official SDK: AMCP_PYTHON_MCP names one; else one that is made once from PyPI.
// { python } or { why } there is none.
import { pythonWith } from '../lib/venv.mjs';

export const findPython = () =>
  pythonWith({
    requirement: 'mcp==2.3.0',
    module: 'mcp.client.streamable_http',
    named: ['AMCP_PYTHON_MCP', process.env.AMCP_PYTHON_MCP],
  });
