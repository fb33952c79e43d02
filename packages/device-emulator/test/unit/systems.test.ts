import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { configureDevice } from '../../src/operating-systems/activation.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';

const CONFIGURATION = { encryptDevice: true, pollIntervalS: 60, pollJitterS: 5, deviceAddress: 'localhost:1' };

describe('the seven kinds of device', () => {
  it('are those of the protocol, with the same names', () => {
    expect(SYSTEM_IDS).toEqual(Object.keys(wire.PLATFORMS));
    for (const id of SYSTEM_IDS) {
      const { title, family, activationTypes } = SYSTEMS[id];
      expect({ title, family, activationTypes: activationTypes.map(({ name }) => name) }).toEqual(wire.PLATFORMS[id]);
    }
  });

  it('have the agent and the notification service of the description (F5.2)', () => {
    expect(SYSTEM_IDS.map((id) => [id, SYSTEMS[id].agent, SYSTEMS[id].pushService])).toEqual([
      ['ios', 'mdm-daemon', 'apns'],
      ['macos', 'mdm-daemon', 'apns'],
      ['android-mdm-controls', 'uem-client', 'fcm'],
      ['android-enterprise', 'uem-client', 'fcm'],
      ['samsung-knox', 'uem-client', 'fcm'],
      ['windows-10', 'mdm-daemon', 'wns'],
      ['blackberry-10', 'enterprise-management-agent', 'bb10'],
    ]);
  });

  it('mean the same configuration by the same name of an activation type, so that one profile serves several kinds', () => {
    const byName = new Map<string, object>();
    for (const { name, workSpace, encryptsDevice } of SYSTEM_IDS.flatMap((id) => SYSTEMS[id].activationTypes)) {
      expect(byName.get(name) ?? { workSpace, encryptsDevice }).toEqual({ workSpace, encryptsDevice });
      byName.set(name, { workSpace, encryptsDevice });
    }
  });

  it.each(SYSTEM_IDS.flatMap((id) => SYSTEMS[id].activationTypes.map(({ name }) => [id, name] as const)))('%s is activated with %s (F1.5)', (id, name) => {
    const system = SYSTEMS[id];
    const type = system.activationTypes.find((each) => each.name === name);
    const factory = factoryState(system, { serialNumber: 'S' }, () => 0);
    const configured = configureDevice(factory, { ...CONFIGURATION, activationType: name, createWorkSpace: type?.workSpace === true }, 7);
    expect(configured).toMatchObject({ state: { activationType: name, encrypted: true } });
    if ('refusal' in configured) throw new Error(configured.refusal);
    expect(configured.state.workSpace).toEqual(type?.workSpace ? { locked: false, enabled: true, createdAtMs: 7 } : undefined);
    expect(configured.state.apps.some(({ managed }) => managed)).toBe(type?.managed);
  });

  it('refuse MDM controls on Android 10 and later, and nothing else', () => {
    const activate = (osVersion: string, activationType: string): object =>
      configureDevice(
        { ...factoryState(SYSTEMS['android-mdm-controls'], { serialNumber: 'S' }, () => 0), osVersion },
        { ...CONFIGURATION, activationType, createWorkSpace: false },
        0,
      );
    expect(activate('10', 'mdm-controls')).toEqual({ refusal: 'activation type mdm-controls ends with Android 9, and the device has 10' });
    expect(activate('9', 'mdm-controls')).toHaveProperty('state');
    expect(activate('14', 'user-privacy')).toHaveProperty('state');
  });

  it('are supervised only where the system knows that', () => {
    const supervised = SYSTEM_IDS.filter((id) => factoryState(SYSTEMS[id], { serialNumber: 'S', supervised: true }, () => 0).supervised);
    expect(supervised).toEqual(['ios']);
    expect(factoryState(SYSTEMS.ios, { serialNumber: 'S' }, () => 0).supervised).toBe(false);
  });
});
