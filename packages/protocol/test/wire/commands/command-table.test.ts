import { describe, expect, it } from 'vitest';
import { COMMANDS, commandDefinition, reaches } from '../../../src/wire/commands/index.ts';
import { LIMITS, PLATFORMS, type PlatformId } from '../../../src/wire/index.ts';

const ENTRIES = Object.entries(COMMANDS);

describe('the table of commands', () => {
  it('has the documented commands in the order of F5.4, and no other type is found in it', () => {
    expect(ENTRIES.map(([type]) => type)).toEqual([
      'LOCK_DEVICE',
      'GENERATE_DEVICE_PASSWORD_AND_LOCK',
      'UNLOCK_DEVICE',
      'DELETE_WORK_SPACE_DATA',
      'DELETE_DEVICE_DATA',
      'REMOVE_DEVICE',
      'ENABLE_LOST_MODE',
      'DISABLE_LOST_MODE',
      'UPDATE_DEVICE_OS',
      'WIPE_APPLICATIONS',
      'LOCK_WORK_SPACE',
      'RESET_WORK_SPACE_PASSWORD',
      'DISABLE_WORK_SPACE',
      'ENABLE_WORK_SPACE',
      'LOCK_APPLICATION',
      'DELETE_APPLICATION',
      'ATTEST_APPLICATION',
      'BLOCK_APPLICATION',
      'UNBLOCK_APPLICATION',
      'UPDATE_IT_POLICY',
      'UPDATE_PROFILES',
      'UPDATE_APPLICATIONS',
      'UPDATE_COMPLIANCE_STATUS',
      'REQUEST_DEVICE_INFO',
      'REQUEST_INSTALLED_APPS',
      'GET_DEVICE_LOGS',
    ]);
    const priorities = ENTRIES.map(([, { priority }]) => priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
    expect(['toString', 'DANCE'].map(commandDefinition)).toEqual([undefined, undefined]);
  });

  it.each(ENTRIES)('%s fits into its frame, reaches something, and names each kind of device once', (type, { reach, properties }) => {
    expect(type).toMatch(/^[A-Z_]{1,64}$/);
    expect(reach.length).toBeGreaterThan(0);
    for (const list of [reach, ...Object.values(properties).flatMap((property) => (property.reach === undefined ? [] : [property.reach]))]) {
      expect(new Set(list.map(({ platform }) => platform)).size).toBe(list.length);
      for (const { platform, activationTypes } of list) {
        expect(PLATFORMS[platform].activationTypes).toEqual(expect.arrayContaining([...activationTypes]));
        expect(activationTypes.length).toBeGreaterThan(0);
      }
    }
    const characters = Object.values(properties).map((property) => ('maxCharacters' in property ? property.maxCharacters : 0));
    expect(characters.reduce((sum, each) => sum + each, 0) * 4).toBeLessThan(LIMITS.bodyBytes);
  });

  it('reaches a kind with an activation type, or not, and says nothing of those of somebody else', () => {
    const { reach } = COMMANDS['LOCK_WORK_SPACE'] as NonNullable<ReturnType<typeof commandDefinition>>;
    expect(reaches(reach, 'samsung-knox', 'work-and-personal-full-control')).toBe('yes');
    expect(reaches(reach, 'samsung-knox', 'work-space-only')).toBe('no');
    expect(reaches(reach, 'windows-10', 'mdm-controls')).toBe('no');
    expect(reaches(reach, 'windows-10', 'work-space-only')).toBe('unknown');
    expect(reaches(reach, 'android', 'work-space-only')).toBe('unknown');
  });

  it('lets UEM delete work data on every device that it manages, and all data on none under user privacy', () => {
    const types = (type: string): string[] =>
      Object.entries(PLATFORMS).flatMap(([platform, { activationTypes }]) =>
        activationTypes.filter((name) => reaches(COMMANDS[type]?.reach ?? [], platform as PlatformId, name) === 'yes'),
      );
    expect(new Set(types('DELETE_WORK_SPACE_DATA'))).toEqual(
      new Set(Object.values(PLATFORMS).flatMap(({ activationTypes }) => activationTypes.filter((name) => name !== '2fa-registration'))),
    );
    expect(types('DELETE_DEVICE_DATA').filter((name) => name.includes('privacy') || name.includes('2fa'))).toEqual([]);
  });
});
