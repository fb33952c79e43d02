import type { CaseResult } from './run-conformance.ts';

const HEAD: readonly string[] = ['case', 'step', 'docs/protocol', 'result'];

/** The results as a table; under a case that failed stands what was expected and what was seen. */
export function conformanceReport(results: readonly CaseResult[]): string {
  const rows = results.map(({ name, step, section, ok }) => [name, step, section, ok ? 'ok' : 'FAILED']);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] as string).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd();
  const lines = [line(HEAD), line(widths.map((width) => '─'.repeat(width)))];
  for (const [index, { ok, demand, expected, seen }] of results.entries()) {
    lines.push(line(rows[index] as readonly string[]));
    if (!ok) lines.push(`    demand    ${demand}`, `    expected  ${expected}`, `    seen      ${seen}`);
  }
  const failed = results.filter(({ ok }) => !ok).length;
  lines.push('', `${results.length - failed} of ${results.length} cases hold${failed === 0 ? '' : `, ${failed} FAILED`}`);
  return `${lines.join('\n')}\n`;
}
