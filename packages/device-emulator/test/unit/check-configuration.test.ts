import { describe, expect, it } from 'vitest';
import type { AuditedDevice } from '../../src/audit/audit.ts';
import { audit } from '../../src/audit/audit.ts';
import type { AuditedConfiguration } from '../../src/audit/check-configuration.ts';

const RULES = { password: { required: true, minimumLength: 6 } };
const WIFI = { ssid: 'work', security: 'WPA2_PERSONAL' };

/** A device that holds a policy, a Wi-Fi profile with its secret, and an application. */
const GOOD: AuditedConfiguration = {
  fleetId: 'f-1',
  planned: {
    policy: { entry: { kind: 'policy', name: 'staff', content: { ...RULES, apps: {} } }, rank: 1 },
    profiles: [{ entry: { kind: 'profile', name: 'wifi', profileKind: 'wi-fi', content: { preSharedKey: 'hush-hush', ...WIFI } }, rank: 2 }],
  },
  effective: {
    policy: { guid: 'p', name: 'f-1 staff' },
    profiles: [
      { guid: 'default-compliance', name: 'Default' },
      { guid: 'w', name: 'f-1 wifi' },
    ],
    applications: [{ guid: 'a', name: 'CRM', applicationId: 'com.example.crm', version: '1', disposition: 'REQUIRED' }],
    delivery: { policy: { state: 'DELIVERED', revision: 2 }, profiles: { state: 'DELIVERED', revision: 1 }, applications: { state: 'DELIVERED', revision: 4 } },
  },
  policy: { guid: 'p', name: 'f-1 staff', rules: { ...RULES, apps: {} } },
  profiles: [
    { guid: 'default-compliance', name: 'Default', kind: 'compliance', isDefault: true, content: {} },
    { guid: 'w', name: 'f-1 wifi', kind: 'wi-fi', isDefault: false, content: WIFI },
  ],
  held: {
    policy: { revision: 2, content: { policy: { guid: 'p', name: 'f-1 staff' }, password: { minimumLength: 6, required: true } } },
    profiles: { revision: 1, content: { w: { kind: 'wi-fi', name: 'f-1 wifi', content: { ...WIFI, preSharedKey: 'hush-hush' } } } },
    applications: { revision: 4, content: { a: { id: 'com.example.crm', name: 'CRM', version: '1', disposition: 'REQUIRED' } } },
  },
};

function audited(configuration: AuditedConfiguration, change: Partial<AuditedDevice> = {}): readonly string[] {
  const device = { index: 3, activatedAs: 'd', serverIds: ['d'], managed: true, sent: [], serverCommands: [], executions: [], lostPushes: 0 };
  return audit([{ ...device, configuration, ...change }]).differences.map(({ problem, detail }) => `${problem} ${detail}`);
}

type Held = AuditedConfiguration['held'];
const held = (change: Partial<Held>): AuditedConfiguration => ({ ...GOOD, held: { ...GOOD.held, ...change } });
const effective = (change: Partial<AuditedConfiguration['effective']>): AuditedConfiguration => ({ ...GOOD, effective: { ...GOOD.effective, ...change } });

describe('audit of the configuration', () => {
  it('agrees when plan, server and device agree, whatever the order of fields', () => {
    expect(audited(GOOD)).toEqual([]);
  });

  it('agrees with a device that nobody has given anything', () => {
    const nothing = { revision: 0, content: {} };
    const none: AuditedConfiguration = {
      fleetId: 'f-1',
      effective: {
        policy: { guid: 'default', name: 'Default' },
        profiles: [],
        applications: [],
        delivery: {},
      },
      policy: { guid: 'default', name: 'Default', rules: {} },
      profiles: [],
      held: { policy: nothing, profiles: nothing, applications: nothing },
    };
    expect(audited(none)).toEqual([]);
  });

  const policyContent = GOOD.held.policy.content;
  const cases: readonly (readonly [string, AuditedConfiguration, readonly string[]])[] = [
    [
      'an update that is on its way',
      effective({ delivery: { ...GOOD.effective.delivery, profiles: { state: 'SENT', revision: 0 } } }),
      ['configurationOpen profiles: SENT on the server'],
    ],
    [
      'an update that the device has given up',
      effective({ delivery: { ...GOOD.effective.delivery, policy: { state: 'FAILED', revision: 1 } } }),
      ['configurationOpen policy: FAILED on the server'],
    ],
    [
      'another revision than the device confirmed',
      held({ policy: { revision: 1, content: policyContent } }),
      ['configurationDiffers policy: revision 1 on the device, 2 on the server'],
    ],
    [
      'another policy',
      held({ policy: { revision: 2, content: { ...policyContent, policy: { guid: 'q', name: 'f-1 other' } } } }),
      [
        'configurationDiffers policy: f-1 other on the device, f-1 staff on the server',
        'configurationNotPlanned policy staff: the device does not hold it as the plan has it',
      ],
    ],
    [
      'other rules of the same policy',
      held({ policy: { revision: 2, content: { ...policyContent, password: { required: true, minimumLength: 4 } } } }),
      [
        'configurationDiffers policy f-1 staff: other rules on the device than on the server',
        'configurationNotPlanned policy staff: the device does not hold it as the plan has it',
      ],
    ],
    [
      'a profile that is missing',
      held({ profiles: { revision: 1, content: {} } }),
      [
        'configurationDiffers profile f-1 wifi: in force on the server, not on the device',
        'configurationNotPlanned profile wifi: the device does not hold it as the plan has it',
      ],
    ],
    [
      'a profile too much',
      held({ profiles: { revision: 1, content: { ...GOOD.held.profiles.content, x: { kind: 'vpn', name: 'old', content: {} } } } }),
      ['configurationDiffers profile old: on the device, not in force on the server'],
    ],
    [
      'another content of a profile',
      { ...GOOD, profiles: [...GOOD.profiles.slice(0, 1), { ...(GOOD.profiles[1] as (typeof GOOD.profiles)[number]), content: { ...WIFI, ssid: 'guests' } }] },
      ['configurationDiffers profile f-1 wifi: another content on the device than on the server'],
    ],
    [
      'another secret, which the server does not show and the plan knows',
      held({ profiles: { revision: 1, content: { w: { kind: 'wi-fi', name: 'f-1 wifi', content: { ...WIFI, preSharedKey: 'tell-tale' } } } } }),
      ['configurationNotPlanned profile wifi: the device does not hold it as the plan has it'],
    ],
    [
      'another application',
      held({ applications: { revision: 4, content: {} } }),
      ['configurationDiffers applications: others are assigned on the server than the device knows'],
    ],
    [
      'a policy that the plan does not want',
      { ...GOOD, planned: { profiles: [], policy: { entry: { kind: 'policy', name: 'strict', content: RULES }, rank: 1 } } },
      ['configurationNotPlanned policy: f-1 staff on the server, the plan wants strict'],
    ],
    [
      'a profile that the server does not have in force',
      { ...GOOD, planned: { profiles: [{ entry: { kind: 'profile', name: 'vpn', profileKind: 'vpn', content: {} }, rank: 1 }] } },
      ['configurationNotPlanned profile vpn: the plan wants it, the server does not have it in force'],
    ],
  ];

  it.each(cases)('lists %s', (_what, configuration, differences) => {
    expect(audited(configuration)).toEqual(differences);
  });

  it('does not ask a device that left for what it held', () => {
    const executions = [{ commandId: 'bye', type: 'DELETE_WORK_SPACE_DATA', status: 'done', changed: true, atMs: 1 }] as const;
    const serverCommands = [{ guid: 'bye', type: 'DELETE_WORK_SPACE_DATA', status: 'COMPLETED' }];
    const open = effective({ delivery: { ...GOOD.effective.delivery, policy: { state: 'WAITING', revision: 1 } } });
    expect(audited(open, { managed: false, serverIds: [], executions, serverCommands })).toEqual([]);
  });
});
