import { describe, expect, it } from 'vitest';
import { applicationPolicy } from '../../src/configuration/application-policy.ts';

describe('getApplicationPolicy', () => {
  it('has the values of the app beside the profiles', () => {
    const values = JSON.stringify({ a: -1, b: 0.5, c: ['x'], d: false, toString: '' });
    expect(applicationPolicy({ dynamics: { idleLockMinutes: 5 }, application: { values } })).toEqual({
      dynamics: { idleLockMinutes: 5 },
      application: { a: -1, b: 0.5, c: ['x'], d: false, toString: '' },
    });
  });

  it.each(['{', '[]', 'null', '5', '"x"'])('takes values that are %s for none', (values) => {
    expect(applicationPolicy({ application: { values } })).toEqual({});
  });

  it.each([5, 'x', {}, { values: 5 }, new Uint8Array(1), []])('takes an entry that is %j for none', (application) => {
    expect(applicationPolicy({ application, dynamics: {} })).toEqual({ dynamics: {} });
  });
});
