import { ProtocolError } from '../../errors/protocol-error.ts';
import { type Alert, alert } from '../../wire/alert.ts';
import { parseFrame } from '../../wire/frame.ts';
import { type Command, command, type Idle, idle } from '../../wire/management.ts';

/** What the server may answer to a poll or a result. */
export type ManagementAnswer =
  | { readonly name: 'command'; readonly command: Command }
  | { readonly name: 'idle'; readonly idle: Idle }
  | { readonly name: 'alert'; readonly alert: Alert };

/** @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_UNEXPECTED` */
export function decodeAnswer(bytes: Uint8Array): ManagementAnswer {
  const frame = parseFrame(bytes);
  switch (frame.name) {
    case 'command':
      return { name: 'command', command: command.decode(frame) };
    case 'idle':
      return { name: 'idle', idle: idle.decode(frame) };
    case 'alert':
      return { name: 'alert', alert: alert.decode(frame) };
    default:
      throw new ProtocolError('ERR_PEER_UNEXPECTED', 'the answer is neither a command nor the idle command');
  }
}
