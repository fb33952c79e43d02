import type { HostAnswer, Interceptor, LabServer, LabServerOptions, RoleRequest } from '@uemkit/lab-server';
import { canonicalUserId } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { Front } from './front.ts';

type Next = (request: RoleRequest) => Promise<HostAnswer>;

/** A lab that breaks one rule of docs/protocol, and the case of the conformance kit that is meant to find it. */
export interface WrongServer {
  readonly name: string;
  /** What it does wrong. */
  readonly breaks: string;
  /** Name of the case. */
  readonly caughtBy: string;
  /** What is wrong with the lab; `lab` gives it. */
  options(lab: () => LabServer): WrongParts;
}

/** Parts that a lab has in place of right ones while it is wrong. */
export interface WrongParts extends Pick<LabServerOptions, 'interceptor' | 'crypto' | 'entropy' | 'clock'> {
  /** Time that a case lets pass does not pass for the server. */
  readonly clockStands?: true;
  /** True while what is written is lost. */
  loses?(): boolean;
  /** Stands before one of its listeners. */
  readonly front?: Front | undefined;
}

/** A wrong server whose frames pass through `exchange`. */
export function onFrames(
  about: Omit<WrongServer, 'options'>,
  exchange: (request: RoleRequest, next: Next, lab: LabServer) => Promise<HostAnswer>,
): WrongServer {
  return { ...about, options: (lab) => ({ interceptor: { exchange: (_role, request, next) => exchange(request, next, lab()) } }) };
}

/** A wrong server whose frames pass through an `exchange` that remembers something, anew each time that a lab becomes it. */
export function remembering(
  about: Omit<WrongServer, 'options'>,
  begin: () => (request: RoleRequest, next: Next, lab: LabServer) => Promise<HostAnswer>,
): WrongServer {
  return { ...about, options: (lab) => onFrames(about, begin()).options(lab) };
}

/** A wrong server whose requests pass through `http` before anything of HTTP is looked at. */
export function onHttp(about: Omit<WrongServer, 'options'>, http: NonNullable<Interceptor['http']>): WrongServer {
  return { ...about, options: () => ({ interceptor: { http } }) };
}

/** A wrong server whose push connections pass through `connect`. */
export function onPushes(about: Omit<WrongServer, 'options'>, connect: NonNullable<Interceptor['connect']>): WrongServer {
  return { ...about, options: () => ({ interceptor: { connect } }) };
}

/** A wrong server that forgets whatever a frame of this type writes. */
export function forgetful(about: Omit<WrongServer, 'options'>, frame: wire.FrameName): WrongServer {
  return {
    ...about,
    options() {
      let forgetting = false;
      const exchange: NonNullable<Interceptor['exchange']> = async (_role, request, next) => {
        forgetting = wire.peekFrameName(request.frame) === frame;
        try {
          return await next(request);
        } finally {
          forgetting = false;
        }
      };
      return { loses: () => forgetting, interceptor: { exchange } };
    },
  };
}

export function isFrame(request: RoleRequest, name: wire.FrameName): boolean {
  return wire.peekFrameName(request.frame) === name;
}

export function nameOf(answer: HostAnswer): wire.FrameName | undefined {
  return answer.status === 'answered' ? wire.peekFrameName(answer.frame) : undefined;
}

/** The message of an answer that is one. */
export function messageIn<T>(answer: HostAnswer, codec: wire.MessageCodec<T>): T | undefined {
  return answer.status === 'answered' && nameOf(answer) === codec.name ? codec.decode(wire.parseFrame(answer.frame)) : undefined;
}

export function messageOf<T>(request: RoleRequest, codec: wire.MessageCodec<T>): T | undefined {
  try {
    return isFrame(request, codec.name) ? codec.decode(wire.parseFrame(request.frame)) : undefined;
  } catch {
    // Cases send bad frames on purpose.
    return undefined;
  }
}

export function answered<T>(codec: wire.MessageCodec<T>, message: T): HostAnswer {
  return { status: 'answered', frame: codec.encode(message) };
}

export function alertOf(answer: HostAnswer): wire.AlertCode | undefined {
  return messageIn(answer, wire.alert)?.code;
}

/** The same answer with another message. */
export function changed<T>(answer: HostAnswer, codec: wire.MessageCodec<T>, change: (message: T) => T): HostAnswer {
  const message = messageIn(answer, codec);
  return message === undefined ? answer : answered(codec, change(message));
}

export function isKnownUser(lab: LabServer, userId: string): boolean {
  return [...lab.admin.users()].some((user) => user.userId === canonicalUserId(userId));
}
