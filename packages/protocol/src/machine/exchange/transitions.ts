import type { Transition } from '../table.ts';

/** States of the device in F5. `ended` is terminal. */
export type ManagementDeviceState = 'stopped' | 'atRest' | 'polling' | 'executing' | 'answering' | 'backingOff' | 'leaving' | 'ended';

/** States of the server towards one device in F5: nothing sent, or one command in flight. */
export type ManagementServerState = 'free' | 'inFlight';

type DeviceRow = Transition<'managementDevice', ManagementDeviceState>;
type ServerRow = Transition<'managementServer', ManagementServerState>;

function device(state: ManagementDeviceState, input: string, next: ManagementDeviceState, step: string): DeviceRow {
  return { role: 'managementDevice', state, input, next, step };
}

function server(state: ManagementServerState, input: string, next: ManagementServerState, step: string): ServerRow {
  return { role: 'managementServer', state, input, next, step };
}

/** Device role of F5 (docs/protocol/06-management.md). */
export const MANAGEMENT_DEVICE_TRANSITIONS: readonly DeviceRow[] = [
  device('stopped', 'start', 'atRest', 'F5.2'),
  device('stopped', 'start with open command', 'executing', 'F5.5'),
  device('stopped', 'start with open answer', 'answering', 'F5.5'),
  device('stopped', 'start with answered leave', 'leaving', 'F5.5'),
  device('atRest', 'poll', 'polling', 'F5.3'),
  device('polling', 'poll', 'polling', 'F5.2'),
  device('executing', 'poll', 'executing', 'F5.2'),
  device('answering', 'poll', 'answering', 'F5.2'),
  device('backingOff', 'poll', 'backingOff', 'F5.2'),
  device('polling', 'command', 'executing', 'F5.4'),
  device('polling', 'expired command', 'answering', 'F5.5'),
  device('polling', 'answered command', 'answering', 'F5.5'),
  device('polling', 'idle', 'atRest', 'F5.6'),
  device('polling', 'idle with pending poll', 'polling', 'F5.6'),
  device('polling', 'error', 'backingOff', 'F5.4'),
  device('polling', 'refusal', 'ended', 'F5.4'),
  device('executing', 'executed', 'answering', 'F5.5'),
  device('answering', 'command', 'executing', 'F5.4'),
  device('answering', 'expired command', 'answering', 'F5.5'),
  device('answering', 'answered command', 'answering', 'F5.5'),
  device('answering', 'idle', 'atRest', 'F5.6'),
  device('answering', 'idle with pending poll', 'polling', 'F5.6'),
  device('answering', 'leave', 'leaving', 'F5.5'),
  device('answering', 'error', 'backingOff', 'F5.5'),
  device('answering', 'refusal', 'ended', 'F5.5'),
  device('backingOff', 'back-off over', 'polling', 'F5.3'),
  device('backingOff', 'back-off over with open answer', 'answering', 'F5.5'),
  device('leaving', 'leave failed', 'leaving', 'F5.5'),
  device('leaving', 'back-off over', 'leaving', 'F5.5'),
  device('leaving', 'left', 'ended', 'F5.5'),
];

/** Server role of F5 towards one device. */
export const MANAGEMENT_SERVER_TRANSITIONS: readonly ServerRow[] = [
  server('free', 'poll, nothing due', 'free', 'F5.6'),
  server('free', 'poll, command due', 'inFlight', 'F5.4'),
  server('free', 'unknown result, nothing due', 'free', 'F5.6'),
  server('free', 'unknown result, command due', 'inFlight', 'F5.4'),
  server('inFlight', 'poll', 'inFlight', 'F5.4'),
  server('inFlight', 'unknown result', 'inFlight', 'F5.4'),
  server('inFlight', 'result, nothing due', 'free', 'F5.6'),
  server('inFlight', 'result, command due', 'inFlight', 'F5.6'),
];
