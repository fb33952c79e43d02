import * as wire from '@uemkit/protocol/wire';

/** Flow step of the frames that a device receives. An alert belongs to the step of what it answers. */
const STEPS: Readonly<Partial<Record<wire.FrameName, string>>> = {
  discoveryResponse: 'F1.3',
  activationParameters: 'F1.4',
  activationShareReply: 'F1.4',
  activationResult: 'F1.4',
  acknowledgement: 'F1.5',
  wakeUp: 'F5.2',
  command: 'F5.4',
  idle: 'F5.6',
};

/** Flow step of a received frame, by its type. */
export function flowStepOf(frame: Uint8Array): string | undefined {
  const name = wire.peekFrameName(frame);
  return name === undefined ? undefined : STEPS[name];
}
