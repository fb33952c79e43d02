import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HANDSHAKES } from '../../src/key-schedule/handshake-instances.ts';
import { HASH_LABELS, SECRET_LABELS } from '../../src/key-schedule/labels.ts';
import { ALERT_CODES } from '../../src/wire/alert.ts';
import { FRAME_TYPES } from '../../src/wire/frame-types.ts';
import { LIMITS } from '../../src/wire/limits.ts';

/** A document of docs/protocol as a list of table rows, each a list of cells. */
function rows(document: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../../../docs/protocol/${document}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1, -1),
    );
}

function has(document: string, ...start: readonly string[]): boolean {
  return rows(document).some((cells) => start.every((cell, at) => cells[at] === cell));
}

describe('docs/protocol agrees with the code on', () => {
  const framing = '01-framing.md';

  it('every frame type, and lists no other', () => {
    for (const [name, type] of Object.entries(FRAME_TYPES)) expect([name, has(framing, `0x${type.toString(16).padStart(2, '0')}`, name)]).toEqual([name, true]);
    expect(rows(framing).filter((cells) => cells[0]?.startsWith('0x'))).toHaveLength(Object.keys(FRAME_TYPES).length);
  });

  it('every label', () => {
    for (const label of Object.values(SECRET_LABELS)) expect([label, has(framing, label)]).toEqual([label, true]);
    const text = readFileSync(new URL(`../../../../docs/protocol/${framing}`, import.meta.url), 'utf8');
    for (const label of Object.values(HASH_LABELS)) expect(text).toContain(`\`${label}\``);
  });

  it('every alert code', () => {
    for (const [name, code] of Object.entries(ALERT_CODES)) expect([name, has(framing, String(code), name)]).toEqual([name, true]);
  });

  it('the limits of frames and runs', () => {
    const bytes = (name: keyof typeof LIMITS): string => `${LIMITS[name].toLocaleString('en-US')} bytes`;
    expect(has(framing, 'body before the peer is authenticated', bytes('unauthenticatedBodyBytes'))).toBe(true);
    expect(has(framing, 'body of A5, of M2 in ipc, of M3', bytes('certificateBodyBytes'))).toBe(true);
    expect(has(framing, 'body after authentication', bytes('bodyBytes'))).toBe(true);
    expect(has(framing, 'depth of arrays and maps', String(LIMITS.cborDepth))).toBe(true);
    expect(has(framing, 'values in one body', LIMITS.cborItems.toLocaleString('en-US'))).toBe(true);
    expect(has(framing, 'unfinished runs of one source', String(LIMITS.pendingPerSource))).toBe(true);
    expect(has(framing, 'unfinished runs at one responder', LIMITS.pendingRuns.toLocaleString('en-US'))).toBe(true);
  });

  it('the instances of the handshake core', () => {
    const document = rows('03-handshake.md');
    for (const { name, psk, staticKey, signature, recordInFinish } of Object.values(HANDSHAKES)) {
      const row = document.find((cells) => cells[0] === name && cells[1]?.includes('→')) ?? [];
      const stated = { psk: row[2] !== '–', staticKey: row[3] !== '–', signature: row[4] !== '–', recordInFinish: row[5] !== '–' };
      expect([name, row.length, stated]).toEqual([name, 8, { psk, staticKey, signature, recordInFinish }]);
    }
  });
});
