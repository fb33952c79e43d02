import { type CryptoProvider, isProtocolError, MANAGEMENT_KEYS, ProtocolError, restoreManagementState, toHex } from '@uemkit/protocol';
import { type SavedDevice, savedDevice } from '@uemkit/uem-client';
import type { FleetStore } from '../fleet/fleet-store.ts';
import { type RecordedStep, recordedSteps } from '../fleet/flight-recorder.ts';
import { type DeviceState, decodeDeviceState } from '../operating-systems/device-state.ts';
import { STATE_KEY } from '../operating-systems/emulated-operating-system.ts';
import { decodeExecution, EXECUTION_PREFIX, type Execution } from '../operating-systems/execution-log.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import { makePlan } from '../plan/plan.ts';
import type { PlannedDevice } from '../plan/planned-device.ts';
import { type RunHeader, RunState } from '../run/run-state.ts';
import { parseScenario } from '../scenario/parse-scenario.ts';
import type { ServerSide } from './server-side.ts';

/** A command that the run has sent to the device and that the device has not carried out. */
export interface PendingCommand {
  readonly type: string;
  readonly commandId: string;
}

/** Asks the server of a run for the commands of a device. */
export type AskServer = (device: { readonly deviceId: string; readonly userGuid: string }, run: RunHeader) => Promise<ServerSide>;

/** Everything that the folder of a run says of one device. Holds no secret: hashes of passwords, keys and tokens are left out. */
export interface Inspection {
  readonly run: Pick<RunHeader, 'scenarioFile' | 'seed' | 'starts' | 'finished'>;
  readonly device: Pick<PlannedDevice, 'index' | 'userId' | 'population' | 'activationType'> & {
    readonly title: string;
    readonly agent: string;
    readonly pushService: string;
  };
  /** Towards UEM; absent where it cannot be read, `unreadable` says why. */
  readonly management?: SavedDevice | undefined;
  /** The command that is under way at this moment. */
  readonly underWay?: { readonly type: string; readonly commandId: string; readonly phase: string } | undefined;
  /** Absent: the device was never started. */
  readonly state?: object | undefined;
  /** Commands of the run itself that the device has not carried out. */
  readonly pending: readonly PendingCommand[];
  /** Commands of anybody, as the server knows them. */
  readonly server: ServerSide;
  /** Oldest first. */
  readonly executed: readonly Execution[];
  /** Oldest first; up to 200. */
  readonly steps: readonly RecordedStep[];
  /** Parts of the saved state that are damaged. */
  readonly unreadable: readonly string[];
}

/**
 * Reads one device of a run from its store; the run may go on meanwhile.
 * @param wanted index, user id or device id
 * @param ask asks the server that the run has; must not reject
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for a device that the run does not have, `ERR_STORE_READ`
 */
export async function inspectDevice(store: FleetStore, wanted: string, crypto: CryptoProvider, ask: AskServer): Promise<Inspection> {
  const runState = new RunState(store);
  const header = runState.header();
  if (header === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'there is no run in this folder');
  const { scenarioFile, scenarioSource, seed, size, starts, finished } = header;
  const { devices } = makePlan(parseScenario(scenarioSource, scenarioFile), crypto, { seed, size });
  const planned = find(devices, wanted, runState);
  const { index, userId, population, activationType, system } = planned;
  const { title, agent, pushService } = SYSTEMS[system];
  const own = store.device(index);
  const unreadable: string[] = [];
  const readable = async <T>(what: string, read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      unreadable.push(`${what}: ${error.message} (${error.code})`);
      return undefined;
    }
  };
  const management = await readable('management', () => savedDevice(own));
  const open = await readable('command under way', async () => {
    const value = await own.get(MANAGEMENT_KEYS.open);
    return restoreManagementState((key) => (key === MANAGEMENT_KEYS.open ? value : undefined)).open;
  });
  const state = await readable('state', async () => {
    const value = await own.get(STATE_KEY);
    return value === undefined ? undefined : withoutSecrets(decodeDeviceState(value));
  });
  const executed = (await readable('executions', () => store.deviceEntries(index, EXECUTION_PREFIX).map(({ value }) => decodeExecution(value)))) ?? [];
  const steps = (await readable('steps', () => recordedSteps(store, index))) ?? [];
  const done = new Set(executed.map(({ commandId }) => commandId));
  const sent = runState.commandsOf(index);
  return {
    run: { scenarioFile, seed, starts, finished },
    device: { index, userId, population, activationType, title, agent, pushService },
    management,
    underWay: open === undefined ? undefined : { type: open.command.type, commandId: toHex(open.command.commandId), phase: open.phase },
    state,
    pending: sent.flatMap(({ type, commandId }) => (commandId === undefined || done.has(commandId) ? [] : [{ type, commandId }])),
    server: await atServer(runState, index, header, ask),
    executed,
    steps,
    unreadable,
  };
}

function atServer(runState: RunState, index: number, header: RunHeader, ask: AskServer): ServerSide | Promise<ServerSide> {
  const [deviceId, userGuid] = [runState.deviceId(index), runState.userGuid(index)];
  return deviceId === undefined || userGuid === undefined ? { unknown: 'the run knows of no activation of this device' } : ask({ deviceId, userGuid }, header);
}

function find(devices: readonly PlannedDevice[], wanted: string, run: RunState): PlannedDevice {
  const found = /^\d{1,9}$/.test(wanted)
    ? devices.find(({ index }) => index === Number(wanted))
    : (devices.find(({ userId }) => userId === wanted) ?? devices.find(({ index }) => run.deviceId(index) === wanted));
  if (found !== undefined) return found;
  const [first, last] = [devices[0]?.index, devices.at(-1)?.index];
  throw new ProtocolError(
    'ERR_USAGE_ARGUMENT',
    `this run has no device ${wanted}: it has the devices ${first} to ${last}; a user id or a device id will do, too`,
  );
}

/** Whether there is a password is of interest; its hash is not. */
function withoutSecrets({ passwordHash, workSpace, ...state }: DeviceState): object {
  const space = workSpace === undefined ? undefined : { ...workSpace, passwordHash: undefined, passwordSet: workSpace.passwordHash !== undefined };
  return { ...state, devicePasswordSet: passwordHash !== undefined, workSpace: space };
}
