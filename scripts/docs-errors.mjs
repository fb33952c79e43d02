/** Writes docs/errors.md from the table of error codes. `--check` compares instead. */
import { join } from 'node:path';
import { ERROR_CODES, ERROR_SUMMARIES } from '@uemkit/protocol';
import { generated, ROOT, table } from './lib/generated.mjs';

const KINDS = {
  local: 'Our caller, or the state on this machine',
  wire: 'Malformed bytes',
  peer: 'Well-formed, but not allowed now',
  crypto: 'Proof that failed',
  rejected: 'The server said no, authenticated',
  transport: 'Nothing learned about the peer',
  bug: 'An invariant of this project',
};

const RETRIES = [
  ['never', 'The same call fails again; something has to change first.'],
  ['backoff', 'Try again later, each time after a longer pause.'],
  ['reconnect', 'Open a new connection or session first.'],
  ['reactivate', 'The device needs new credentials from an administrator.'],
];

const rows = Object.entries(ERROR_CODES);
const unknown = rows.filter(([, entry]) => !(entry.kind in KINDS) || !RETRIES.some(([name]) => name === entry.retry));
if (unknown.length > 0) throw new Error(`kind or retry class without a description: ${unknown.map(([code]) => code).join(', ')}`);

const sections = Object.entries(KINDS).map(([kind, title]) => {
  const own = rows.filter(([, entry]) => entry.kind === kind);
  if (own.length === 0) return '';
  return `## ${title} (\`${kind}\`)\n\n${table(
    ['code', 'retry', 'meaning'],
    own.map(([code, entry]) => [`\`${code}\``, entry.retry, ERROR_SUMMARIES[code]]),
  )}\n`;
});

const text = `# Errors

Generated from \`packages/protocol/src/errors/codes.ts\` and \`summaries.ts\` by \`pnpm docs:errors\`; do not edit by hand.

Every error of this project is a \`ProtocolError\`. Match on \`code\`: it is part of the public API (a new code is a minor release, a changed one a major release).
The message is for people and may change. Use \`isProtocolError(error)\` instead of \`instanceof\`: it also knows errors of a second copy of the package.
\`step\` names the step of the flow in which it happened, for example \`F1.4\`. An aborted call rejects with the reason of its signal, not with one of these.

## Retry classes

${table(
  ['class', 'what a caller may do'],
  RETRIES.map(([name, meaning]) => [`\`${name}\``, meaning]),
)}

${sections.filter((section) => section !== '').join('\n')}`;

generated(join(ROOT, 'docs/errors.md'), text, 'pnpm docs:errors');
