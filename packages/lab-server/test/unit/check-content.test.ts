import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { checkContent } from '../../src/admin/check-content.ts';

const nested = (levels: number): wire.WireDocument => (levels === 1 ? { end: true } : { next: nested(levels - 1) });

/** The command that brings a profile to a device. */
const update = (content: wire.WireDocument): wire.Command => ({
  commandId: new Uint8Array(16),
  type: 'UPDATE_PROFILES',
  properties: { revision: 1, set: { guid: { name: 'a', kind: 'dynamics-connectivity', content } } },
  issuedAtEpochS: 0,
});

describe('the content of a profile', () => {
  it('is taken as deep as a command can bring it, and no deeper', () => {
    let levels = 1;
    for (; levels < 20; levels++) {
      try {
        wire.command.encode(update(nested(levels + 1)));
      } catch {
        break;
      }
    }
    expect(levels).toBeGreaterThan(5);
    expect(checkContent(v.any(), nested(levels), 'content')).toEqual(nested(levels));
    expect(() => checkContent(v.any(), nested(levels + 1), 'content')).toThrow(expect.objectContaining({ id: 'INVALID_PROPERTY' }));
  });
});
