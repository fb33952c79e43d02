import { type Clock, commandDefinition, type Entropy, generateActivationPassword, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { DEVICE_PASSWORD_TEMPLATE_ID } from '../mail/device-templates.ts';
import type { Mailer } from '../mail/mailer.ts';
import { queueMail } from '../mail/queue-mail.ts';
import { templateInForce } from '../mail/template-in-force.ts';
import { cancelCommand, commandById, isQueueFull, listCommands } from '../state/command-queue.ts';
import type { CommandRecord, NewCommand } from '../state/commands.ts';
import { removeDevice } from '../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById, listDeviceSummaries, listDeviceSummariesOfUser, listDevices, listDevicesOfUser } from '../state/devices.ts';
import { inventoryOf } from '../state/inventory.ts';
import type { PageQuery } from '../state/table.ts';
import { userByGuid } from '../state/users.ts';
import type { LabStore, ReadView, WriteView } from '../store/lab-store.ts';
import type { Administration, DeviceOwner } from './administration.ts';
import { checkCommand, requireCommandType } from './command-properties.ts';
import type { NewDeviceCommand, SentCommand } from './new-device-command.ts';
import { rowsOf } from './pages.ts';
import { carryOut, type PlannedChange } from './planned-change.ts';
import { AdminProblem } from './problem.ts';
import { requireDevice, requireDeviceOfUser } from './require-device.ts';
import { queueFull, takeCommand } from './take-command.ts';

export interface DeviceAdministrationOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Sends what is in the outbox. */
  readonly mailer: Pick<Mailer, 'kick'>;
  /** Wakes a device whose command is durable (F5.2). Must not throw. */
  wake(deviceId: string, known?: { readonly pushToken?: Uint8Array | undefined }): void;
}

export type DeviceAdministration = Pick<
  Administration,
  | 'devices'
  | 'deviceSummaries'
  | 'device'
  | 'devicesById'
  | 'devicesOfUser'
  | 'deviceSummariesOfUser'
  | 'deviceOfUser'
  | 'inventory'
  | 'sendCommand'
  | 'planCommand'
  | 'command'
  | 'commands'
  | 'cancelCommand'
  | 'planCancel'
  | 'removeDevice'
  | 'planRemoval'
>;

interface CheckedCommand {
  readonly command: NewCommand;
  readonly nowMs: number;
  readonly generatedPassword: string | undefined;
}

/** Devices and their commands (F5.1). */
export function createDeviceAdministration(options: DeviceAdministrationOptions): DeviceAdministration {
  const { clock, entropy, store, mailer } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  const requireOwned = (view: ReadView, { deviceId, userGuid }: DeviceOwner): DeviceRecord =>
    userGuid === undefined ? requireDevice(view, deviceId) : requireDeviceOfUser(view, userGuid, deviceId);

  const requireCommand = (command: CommandRecord | undefined): CommandRecord => {
    if (command === undefined) throw new AdminProblem('COMMAND_NOT_FOUND', 'the device has no such command');
    return command;
  };

  /** A command as far as it can be checked without its device. */
  const checked = (deviceId: string, { type, properties = {}, applicationId, expiresAtMs }: NewDeviceCommand): CheckedCommand => {
    const nowMs = clock.nowMs();
    if (expiresAtMs !== undefined && !(expiresAtMs > nowMs)) throw new AdminProblem('INVALID_PROPERTY', 'expiry: is not in the future');
    requireCommandType(type);
    const generatedPassword = type === 'GENERATE_DEVICE_PASSWORD_AND_LOCK' ? generateActivationPassword(entropy) : undefined;
    const document = checkCommand(type, properties, filledByUem(type, applicationId, generatedPassword));
    return { nowMs, generatedPassword, command: { commandId: toHex(entropy.randomBytes(16)), deviceId, type, properties: document, expiresAtMs } };
  };

  const planChecked = (owner: DeviceOwner, check: () => CheckedCommand): PlannedChange<SentCommand> => {
    let device: DeviceRecord;
    return {
      make(tx) {
        device = requireOwned(tx, owner);
        const { nowMs, generatedPassword, command } = check();
        const sent = takeCommand(tx, device, command, nowMs);
        if (generatedPassword === undefined) return sent;
        // Who has it from a mail need not be told by somebody who then knows it, too.
        const mailId = mailPassword(tx, device, generatedPassword, { entropy, nowMs });
        return mailId === undefined ? { ...sent, generatedPassword } : { ...sent, mailId };
      },
      durable({ mailId }) {
        options.wake(owner.deviceId, device);
        if (mailId !== undefined) mailer.kick();
      },
    };
  };

  const planCancel: DeviceAdministration['planCancel'] = (owner, commandId) => ({
    make(tx) {
      const { deviceId } = requireOwned(tx, owner);
      const command = requireCommand(commandById(tx, deviceId, commandId));
      if (command.isContentOpen === true) throw new AdminProblem('UPDATE_OF_SERVER', 'it follows from policies, profiles and assignments; change those');
      const cancelled = cancelCommand(tx, deviceId, commandId, 'cancelled by the administrator', clock.nowMs());
      if (cancelled === undefined) throw new AdminProblem('COMMAND_SENT', `the command is ${command.state} already`);
      return cancelled;
    },
    durable() {},
  });

  const planRemoval: DeviceAdministration['planRemoval'] = (owner) => ({
    make(tx) {
      const device = requireOwned(tx, owner);
      if (!removeDevice(tx, device.deviceId, clock.nowMs())) throw new AdminProblem('DEVICE_NOT_ACTIVE', 'the device is removed already');
      return device;
    },
    durable: ({ deviceId }) => options.wake(deviceId),
  });

  return {
    *devices() {
      for (const { record: device } of rowsOf(read, listDevices, (row) => row.id)) if (counts(device)) yield device;
    },
    *deviceSummaries(names) {
      const wanted = new Set([...names, 'deviceId', 'status'] as const);
      const page = (view: ReadView, query: PageQuery): ReturnType<typeof listDeviceSummaries<(typeof names)[number] | 'deviceId' | 'status'>> =>
        listDeviceSummaries(view, query, wanted);
      for (const { record: device } of rowsOf(read, page, (row) => row.id)) if (device.status === 'active') yield device;
    },
    devicesById: (deviceIds) => store.read((view) => deviceIds.flatMap((deviceId) => deviceById(view, deviceId) ?? [])),
    device: (deviceId) => store.read((view) => requireDevice(view, deviceId)),
    *devicesOfUser(guid) {
      const page = (view: ReadView, query: { readonly after?: string; readonly limit: number }): readonly DeviceRecord[] =>
        listDevicesOfUser(view, guid, query);
      for (const device of rowsOf(read, page, (row) => row.deviceId)) if (counts(device)) yield device;
    },
    *deviceSummariesOfUser(guid, names) {
      const wanted = new Set([...names, 'deviceId', 'status'] as const);
      const page = (
        view: ReadView,
        query: { readonly after?: string; readonly limit: number },
      ): ReturnType<typeof listDeviceSummariesOfUser<(typeof names)[number] | 'deviceId' | 'status'>> => listDeviceSummariesOfUser(view, guid, query, wanted);
      for (const { record: device } of rowsOf(read, page, (row) => row.id)) if (device?.status === 'active') yield device;
    },
    deviceOfUser: (userGuid, deviceId) => store.read((view) => requireDeviceOfUser(view, userGuid, deviceId)),
    inventory: (deviceId) => store.read((view) => inventoryOf(view, deviceId)),

    planCommand: (owner, command) => planChecked(owner, () => checked(owner.deviceId, command)),
    async sendCommand(deviceId, command) {
      const ready = checked(deviceId, command);
      // A flood is refused without waiting for the disk; the transaction decides.
      if (commandDefinition(command.type)?.carriedOutBy !== 'uem' && store.read((view) => isQueueFull(view, deviceId))) throw queueFull();
      return carryOut(
        store,
        planChecked({ deviceId }, () => ready),
      );
    },

    command: (deviceId, commandId) => store.read((view) => requireCommand(commandById(view, requireDevice(view, deviceId).deviceId, commandId))),
    *commands(deviceId) {
      let after: number | undefined;
      for (;;) {
        const from = after;
        const page = store.read((view) => listCommands(view, deviceId, { limit: COMMANDS_PAGE, ...(from === undefined ? {} : { after: from }) }));
        yield* page;
        after = page.at(-1)?.sequence;
        if (after === undefined || page.length < COMMANDS_PAGE) return;
      }
    },
    planCancel,
    cancelCommand: (deviceId, commandId) => carryOut(store, planCancel({ deviceId }, commandId)),
    planRemoval,
    removeDevice: async (deviceId) => void (await carryOut(store, planRemoval({ deviceId }))),
  };
}

/** Properties that the administrator does not give: whom the command is for, and a password that nobody chose. */
function filledByUem(type: string, applicationId: string | undefined, password: string | undefined): wire.WireDocument {
  const isForApplication = commandDefinition(type)?.carriedOutBy === 'application';
  if (isForApplication !== (applicationId !== undefined))
    throw new AdminProblem(
      'INVALID_PROPERTY',
      isForApplication ? `type: ${type} is for an application` : `type: ${type} is for a device, not for an application`,
    );
  return { ...(applicationId === undefined ? {} : { applicationId }), ...(password === undefined ? {} : { password: btoa(password) }) };
}

/** How long a host may be down before a mail with a device password is given up. */
const PASSWORD_MAIL_LIFE_MS = 7 * 86_400_000;

/** Tells the user of a device its new password; gives the id of the mail, undefined when the user cannot be told so. */
function mailPassword(
  tx: WriteView,
  { deviceId, userGuid, info }: DeviceRecord,
  password: string,
  surroundings: { readonly entropy: Entropy; readonly nowMs: number },
): string | undefined {
  const user = userByGuid(tx, userGuid);
  const template = templateInForce(tx, DEVICE_PASSWORD_TEMPLATE_ID);
  if (user === undefined || template === undefined) return undefined;
  const expiresAtMs = surroundings.nowMs + PASSWORD_MAIL_LIFE_MS;
  return queueMail(tx, { user, template, step: 'F5.1', deviceId, expiresAtMs, values: { device: info.model, password } }, surroundings)?.mailId;
}

/** Commands that are read in one go. */
const COMMANDS_PAGE = 200;

/** A device counts from A7 on, and no more when it has ended. */
function counts(device: DeviceRecord): boolean {
  return device.status === 'active';
}
