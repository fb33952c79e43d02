import type { FrameReceiver, ProtocolError, StreamLink } from '@uemkit/protocol';
import type { NocConnection, NocRequest, NocTransport } from './noc-transport.ts';

/** An open connection to the NOC as a link of a machine. */
export interface NocLink extends StreamLink {
  close(): void;
}

/** @throws ProtocolError `ERR_TRANSPORT_*`; `signal.reason` after an abort */
export async function openNocLink(transport: NocTransport, request: Pick<NocRequest, 'address' | 'trust' | 'signal'>): Promise<NocLink> {
  let receiver: FrameReceiver | undefined;
  /** A connection may end before anybody listens. */
  let ended: { readonly error: ProtocolError | undefined } | undefined;
  const connection: NocConnection = await transport.openNoc({
    ...request,
    // The NOC only answers, so nothing comes before the first `send`.
    onFrame: (frame) => receiver?.received(frame),
    onClose(error) {
      ended = { error };
      receiver?.closed(error);
    },
  });
  return {
    send: (frame) => connection.send(frame),
    receive(given) {
      receiver = given;
      if (ended !== undefined) given.closed(ended.error);
    },
    close: () => connection.close(),
  };
}
