import type { SystemId } from '../../src/operating-systems/system-definition.ts';

/** A kind of device under one activation type. */
export interface Kind {
  readonly system: SystemId;
  readonly activationType: string;
}

const ANDROID: readonly SystemId[] = ['android-mdm-controls', 'android-enterprise', 'samsung-knox'];
const WORK_SPACE_SYSTEMS: readonly SystemId[] = ['android-enterprise', 'samsung-knox'];
const CONTROL = ['mdm-controls', 'work-and-personal-full-control', 'work-space-only', 'work-and-personal-regulated'];
const BESIDE_PERSONAL = ['work-and-personal-user-privacy', 'work-and-personal-full-control'];

const of = (system: SystemId, ...activationTypes: readonly string[]): readonly Kind[] => activationTypes.map((activationType) => ({ system, activationType }));

/** The seven kinds of device with every activation type that each has, written down once more: what product code says of them is what is tested. */
export const KINDS: readonly Kind[] = [
  ...of('ios', 'mdm-controls', 'user-privacy', '2fa-registration'),
  ...of('macos', 'mdm-controls'),
  ...of('android-mdm-controls', 'mdm-controls', 'user-privacy', '2fa-registration'),
  ...of('android-enterprise', 'work-and-personal-user-privacy', 'work-and-personal-full-control', 'work-space-only'),
  ...of('samsung-knox', 'work-and-personal-user-privacy', 'work-and-personal-full-control', 'work-space-only'),
  ...of('windows-10', 'mdm-controls'),
  ...of('blackberry-10', 'work-and-personal-regulated', 'work-space-only'),
];

export const isManaged = ({ activationType }: Kind): boolean => activationType !== '2fa-registration';
export const hasWorkSpace = ({ activationType }: Kind): boolean => activationType.startsWith('work-');
const isControlled = ({ activationType }: Kind): boolean => CONTROL.includes(activationType);
const isAndroid = ({ system }: Kind): boolean => ANDROID.includes(system);
const isApple = ({ system }: Kind): boolean => system === 'ios';
const hasOwnWorkSpace = (kind: Kind): boolean => WORK_SPACE_SYSTEMS.includes(kind.system) && BESIDE_PERSONAL.includes(kind.activationType);
const forApp = (kind: Kind): boolean => isManaged(kind) && (isAndroid(kind) || isApple(kind));
const forSupervised = (kind: Kind): boolean => isApple(kind) && isControlled(kind);

/** A command as administrators give it in this test. */
export interface GivenCommand {
  readonly type: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly applicationId?: string;
  /** Whether UEM has to take it for such a device. */
  applies(kind: Kind): boolean;
}

const PASSWORD = btoa('new-Secret-1');
const applicationId = 'com.example.mail';

/** Every command that administrators give, some of them with more than one content. */
export const GIVEN_COMMANDS = {
  lock: { type: 'LOCK_DEVICE', applies: (kind) => isControlled(kind) || (isAndroid(kind) && hasWorkSpace(kind)) },
  lockWithPassword: { type: 'LOCK_DEVICE', properties: { password: PASSWORD, message: 'm' }, applies: (kind) => isAndroid(kind) && isControlled(kind) },
  generatePassword: { type: 'GENERATE_DEVICE_PASSWORD_AND_LOCK', applies: ({ system }) => system === 'windows-10' },
  unlock: { type: 'UNLOCK_DEVICE', applies: (kind) => (isAndroid(kind) || isApple(kind)) && isControlled(kind) },
  deleteWork: { type: 'DELETE_WORK_SPACE_DATA', applies: isManaged },
  deleteDevice: { type: 'DELETE_DEVICE_DATA', applies: isControlled },
  lost: { type: 'ENABLE_LOST_MODE', properties: { phoneNumber: '1', message: 'm' }, applies: forSupervised },
  found: { type: 'DISABLE_LOST_MODE', applies: forSupervised },
  download: { type: 'UPDATE_DEVICE_OS', properties: { installAction: 'DOWNLOAD_ONLY', osVersion: '21.1' }, applies: forSupervised },
  install: { type: 'UPDATE_DEVICE_OS', properties: { installAction: 'INSTALL', osVersion: '21.1' }, applies: forSupervised },
  installOlder: { type: 'UPDATE_DEVICE_OS', properties: { installAction: 'INSTALL', osVersion: '9.10' }, applies: forSupervised },
  wipe: { type: 'WIPE_APPLICATIONS', applies: (kind) => isApple(kind) && isManaged(kind) },
  lockWorkSpace: { type: 'LOCK_WORK_SPACE', properties: { password: PASSWORD }, applies: hasOwnWorkSpace },
  resetWorkSpace: { type: 'RESET_WORK_SPACE_PASSWORD', applies: hasOwnWorkSpace },
  disableWorkSpace: { type: 'DISABLE_WORK_SPACE', applies: hasOwnWorkSpace },
  enableWorkSpace: { type: 'ENABLE_WORK_SPACE', applies: hasOwnWorkSpace },
  lockApp: { type: 'LOCK_APPLICATION', applicationId, applies: forApp },
  deleteApp: { type: 'DELETE_APPLICATION', applicationId, applies: forApp },
  attestApp: { type: 'ATTEST_APPLICATION', applicationId, properties: { attestationType: 'APP_INTEGRITY' }, applies: forApp },
  blockApp: { type: 'BLOCK_APPLICATION', applicationId, properties: { title: 't', body: 'b', actionId: 'a' }, applies: forApp },
  unblockApp: { type: 'UNBLOCK_APPLICATION', applicationId, properties: { actionId: 'a' }, applies: forApp },
  info: { type: 'REQUEST_DEVICE_INFO', applies: () => true },
  apps: { type: 'REQUEST_INSTALLED_APPS', applies: isManaged },
  logs: { type: 'GET_DEVICE_LOGS', applies: (kind) => isManaged(kind) && (isAndroid(kind) || isApple(kind)) },
} as const satisfies Readonly<Record<string, GivenCommand>>;

export type CommandName = keyof typeof GIVEN_COMMANDS;
export const COMMAND_NAMES: readonly CommandName[] = Object.keys(GIVEN_COMMANDS) as CommandName[];
