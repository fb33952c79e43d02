import type { Lab } from '@uemkit/lab-server';
import type { FakeClock } from '@uemkit/protocol/testing';
import type { UemClient } from '@uemkit/uem-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';
import { VirtualLab } from './virtual-lab.ts';

let here: VirtualLab;
let clock: FakeClock;
let lab: Lab;

beforeEach(async () => {
  here = await VirtualLab.start();
  ({ clock, lab } = here);
});
afterEach(() => here.close());

/** A device of this kind as it leaves the factory, after its user has had it. */
async function device(system: (typeof SYSTEM_IDS)[number], compromised: boolean): Promise<UemClient> {
  return (await here.device(factoryState(SYSTEMS[system], { serialNumber: `TEST-KEY-${system}`, compromised }, () => 0))).client;
}

/** Code and reason of a refusal; `activated` when there is none. */
async function outcome(client: UemClient, userGuid: string): Promise<unknown> {
  const { content } = await lab.admin.createQrCode(userGuid);
  const ended = client.activate({ kind: 'qr', content }).then(
    () => 'activated',
    ({ code, details, message }) => [code, details.reason, message],
  );
  return clock.hold(ended);
}

const forbid = (): Promise<unknown> =>
  lab.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content: { jailbroken: { action: 'MONITOR_AND_LOG' } } });

describe('a rule against jailbroken and rooted devices (F1.4)', () => {
  it('blocks their activation whatever its action, on each kind, and lets the others in', async () => {
    await forbid();
    const { guid } = await lab.admin.createUser({ username: 'ada' });
    const { profileId, ...profile } = lab.admin.profile('default');
    for (const system of SYSTEM_IDS) {
      const { name, workSpace } = SYSTEMS[system].activationTypes[0] ?? { name: '', workSpace: false };
      await lab.admin.putProfile({ ...profile, profileId, activationType: name, createWorkSpace: workSpace, allowedDevices: 9 });
      expect(await outcome(await device(system, true), guid)).toEqual([
        'ERR_REJECTED_ACTIVATION',
        'compliance',
        'the operating system is jailbroken or rooted',
      ]);
      expect([system, await outcome(await device(system, false), guid)]).toEqual([system, 'activated']);
    }
    expect(lab.admin.activationRefusals(guid).map(({ refusal }) => refusal)).toEqual(SYSTEM_IDS.map(() => 'compliance'));
  });

  it('that comes later finds the device by what it said when it was activated', async () => {
    const { guid } = await lab.admin.createUser({ username: 'ada' });
    const client = await device('android-enterprise', true);
    expect(await outcome(client, guid)).toBe('activated');
    await forbid();
    client.start();
    await clock.advance(10_000);
    expect(lab.admin.complianceFindings(client.deviceId as string).map(({ rule }) => rule)).toEqual(['jailbroken']);
  });
});
