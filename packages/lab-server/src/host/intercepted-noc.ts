import type { ListeningRole } from '../node/lab-listeners.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { NocInterceptor, NocToUem } from './interceptor.ts';
import type { NocHost } from './noc-host.ts';

type NocFaces = Required<Pick<ListeningRole, 'connectApp' | 'dataPath'>>;

/** What the listener of the NOC hands connections of apps to. */
export function nocBehind(wrong: NocInterceptor, noc: NocHost, exchange: ListeningRole['exchange']): NocFaces {
  const { dataPath } = noc;
  const connected: NocFaces['connectApp'] = (socket, source) => noc.connect(socket, source, exchange);
  return {
    connectApp: (socket, source) => (wrong.connectApp === undefined ? connected(socket, source) : wrong.connectApp(socket, source, connected)),
    dataPath: {
      openLink(stream, binding, source) {
        if (wrong.link === undefined) dataPath.openLink(stream, binding, source);
        else wrong.link(stream, (passed) => dataPath.openLink(passed, binding, source));
      },
      addNode: dataPath.addNode,
      addDialled: dataPath.addDialled,
    },
  };
}

/** The way of the NOC to UEM. */
export function uemBehind(wrong: NocInterceptor, uem: RoleLink): RoleLink {
  return {
    request(service, frame) {
      if (wrong.askUem === undefined || (service !== 'setUp' && service !== 'envelopes')) return uem.request(service, frame);
      return wrong.askUem({ service, frame }, (passed: NocToUem) => uem.request(passed.service, passed.frame));
    },
  };
}
