import { describe, expect, it } from 'vitest';
import { PLATFORMS, platformOf } from '../../src/wire/platforms.ts';

describe('platforms', () => {
  it('are found by their name on the wire, and by no other', () => {
    expect(platformOf('samsung-knox')).toBe(PLATFORMS['samsung-knox']);
    expect(['toString', 'android', ''].map(platformOf)).toEqual([undefined, undefined, undefined]);
  });

  it('have names of activation types that fit into a device configuration and a profile', () => {
    for (const { activationTypes } of Object.values(PLATFORMS)) {
      expect(new Set(activationTypes).size).toBe(activationTypes.length);
      for (const name of activationTypes) expect(name).toMatch(/^[a-z0-9-]{1,64}$/);
    }
  });
});
