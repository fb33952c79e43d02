import { sameBytes } from '../../bytes/bytes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { HandshakeInstance, StartField } from '../../key-schedule/handshake-instances.ts';
import { type AlertCode, alert } from '../../wire/alert.ts';
import { type Frame, parseFrame, peekFrameName } from '../../wire/frame.ts';
import type { HandshakeFinish, HandshakeReply, HandshakeStart } from '../../wire/handshake.ts';
import type { HandshakeBinding } from './handshake-types.ts';

const START_FIELDS: readonly StartField[] = ['pskId', 'userId', 'appId', 'instanceId'];

/**
 * M1 has the fields of its instance and no others.
 * @throws ProtocolError `ERR_WIRE_FIELD`
 */
export function requireStartFields(instance: HandshakeInstance, start: HandshakeStart): void {
  // check: HC instance of M1
  if (start.instance !== instance.name) throw new ProtocolError('ERR_WIRE_FIELD', 'M1 is for another handshake');
  for (const field of START_FIELDS) {
    // check: HC fields of M1
    if (instance.startFields.includes(field) !== (start[field] !== undefined))
      throw new ProtocolError('ERR_WIRE_FIELD', `field ${field} does not fit ${instance.name}`);
  }
}

/** M2 has certificates exactly when its instance signs. @throws ProtocolError `ERR_WIRE_FIELD` */
export function requireReplyFields(instance: HandshakeInstance, reply: HandshakeReply): void {
  // check: HC fields of M2
  if (instance.signature !== (reply.certificates !== undefined)) throw new ProtocolError('ERR_WIRE_FIELD', `certificates do not fit ${instance.name}`);
}

/** M3 has a record exactly in `sc`. @throws ProtocolError `ERR_WIRE_FIELD` */
export function requireFinishFields(instance: HandshakeInstance, finish: HandshakeFinish): void {
  // check: HC fields of M3
  if (instance.recordInFinish !== (finish.record !== undefined)) throw new ProtocolError('ERR_WIRE_FIELD', `a record does not fit ${instance.name}`);
}

/** True when the ids in M1 are those that the prologue binds. */
export function isConsistent(binding: HandshakeBinding, start: HandshakeStart): boolean {
  switch (binding.name) {
    case 'link':
      return isSame(binding.prologue.linkId, start.pskId);
    case 'px':
    case 'dc':
      return isSame(binding.prologue.instanceId, start.instanceId);
    case 'svc':
      return isSame(binding.prologue.instanceId, start.instanceId) && isSame(binding.prologue.responderInstanceId, start.pskId);
    default:
      return true;
  }
}

function isSame(bound: Uint8Array, named: Uint8Array | undefined): boolean {
  return named !== undefined && sameBytes(bound, named);
}

/**
 * A handshake message or an alert, taken apart.
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function parseHandshakeFrame(bytes: Uint8Array, maxBodyBytes: number, trailerBytes: number): Frame {
  return parseFrame(bytes, { maxBodyBytes, trailerBytes: peekFrameName(bytes) === 'alert' ? 0 : trailerBytes });
}

/** What a received alert means: the end of this connection and nothing else (crypto design 14.15). */
export function handshakeAlertError(frame: Frame): ProtocolError {
  const { code } = alert.decode(frame);
  if (code === 'busy') return new ProtocolError('ERR_REJECTED_BUSY', 'the peer is busy');
  return new ProtocolError('ERR_PEER_ALERT', 'the peer ended the handshake', { details: { alert: code } });
}

/** What the peer is told about a failure: whether its bytes were malformed, or one word for everything else. */
export function alertFor(error: ProtocolError): AlertCode {
  if (error.kind === 'wire') return 'badMessage';
  if (error.code === 'ERR_REJECTED_BUSY') return 'busy';
  return error.kind === 'bug' || error.kind === 'local' ? 'internal' : 'authFailed';
}
