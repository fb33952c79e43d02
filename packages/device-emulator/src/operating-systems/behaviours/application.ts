import { type Behaviour, failed, textProperty } from './behaviour.ts';

/**
 * Commands for one Dynamics app. No app has activated itself on the device yet, and the device says so; with Dynamics apps this becomes the place
 * where the UEM Client passes the command on.
 */
export const commandForApplication: Behaviour = (state, properties, { system }) => {
  if (!system.dynamicsApps) return failed(state, `${system.title} passes no commands on to Dynamics apps`);
  const applicationId = textProperty(properties, 'applicationId');
  if (typeof applicationId !== 'string') return failed(state, 'applicationId must be text');
  return failed(state, `no Dynamics app ${applicationId} is active on the device`);
};
