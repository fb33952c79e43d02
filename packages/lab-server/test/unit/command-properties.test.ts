import { describe, expect, it } from 'vitest';
import { checkCommand } from '../../src/admin/command-properties.ts';

describe('the properties of a command', () => {
  it.each([
    ['text that is no Unicode', { message: '\ud800' }],
    ['text that is no Unicode in a long one', { message: `${'x'.repeat(600)}\ud800` }],
  ])('are not %s', (_what, properties) => {
    expect(() => checkCommand('LOCK_DEVICE', properties)).toThrow(expect.objectContaining({ id: 'INVALID_PROPERTY' }));
  });

  it('are taken as they are', () => {
    expect(checkCommand('LOCK_DEVICE', { message: 'hello' })).toEqual({ message: 'hello' });
  });
});
