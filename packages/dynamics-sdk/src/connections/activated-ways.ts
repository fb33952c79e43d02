import { type AppActivationRecord, ProtocolError } from '@uemkit/protocol';
import type { NocLinkOptions } from './noc-link.ts';
import { type NocWays, nocWays } from './noc-way.ts';
import type { ConnectionWays } from './way.ts';

/** Ways whose keys come with the activation of the app. */
export interface ActivatedWays extends ConnectionWays {
  /** Ends all that is open, and forgets the keys. */
  forget(): void;
}

/** The ways through the NOC by the keys of the activation that is in force; another activation ends what the one before it has open. */
export function activatedWays(options: Omit<NocLinkOptions, 'linkId' | 'masterLinkKey'>, activation: () => AppActivationRecord | undefined): ActivatedWays {
  let made: { readonly of: Uint8Array; readonly ways: NocWays } | undefined;
  const forget = (): void => {
    made?.ways.close();
    made = undefined;
  };
  const ways = (): NocWays => {
    const { link, data, instanceId } = activation() ?? {};
    if (link === undefined || data === undefined || instanceId === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated yet');
    const { sessionKeyId, masterSessionKey } = data;
    // Other documents of the same activation change no key.
    if (made?.of !== masterSessionKey) {
      forget();
      const { linkId, masterLinkKey, tenantId } = link;
      made = { of: masterSessionKey, ways: nocWays({ ...options, linkId, masterLinkKey, tenantId, instanceId, sessionKeyId, masterSessionKey }) };
    }
    return made.ways;
  };
  return {
    direct: { open: async (target, way) => ways().direct.open(target, way) },
    noc: (proxy) => ({ open: async (target, way) => ways().noc(proxy).open(target, way) }),
    directConnect: (proxy) => ({ open: async (target, way) => ways().directConnect(proxy).open(target, way) }),
    forget,
  };
}
