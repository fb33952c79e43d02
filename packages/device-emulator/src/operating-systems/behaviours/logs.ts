import { type Behaviour, done, failed } from './behaviour.ts';

/** GET_DEVICE_LOGS: what the UEM Client has written down, which in the emulator is what it carried out. */
export const getDeviceLogs: Behaviour = (state, _properties, { system, executions }) => {
  if (!system.givesLogs) return failed(state, `${system.title} has no UEM Client that gives its logs away`);
  return done(state, { entries: executions.map(({ type, status, atMs }) => `${new Date(atMs).toISOString()} ${type} ${status}`) });
};
