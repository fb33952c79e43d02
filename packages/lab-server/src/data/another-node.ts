import { ProtocolError } from '@uemkit/protocol';
import type { RolePlace } from './lab-addresses.ts';
import { type CertificateMaker, makeRole, makeSigningKey } from './lab-certificates.ts';
import { fromPem, privateKeyPem, readPrivateKeyPem, toPem } from './pem.ts';
import type { RoleFile } from './role-file.ts';

/**
 * The file of one more Connectivity Node of a lab, from that of its UEM: another key, so another Proxy (docs/protocol/12, 12.2). It listens for application servers at any port, since the
 * one that the lab has is the first node's.
 * @throws ProtocolError `ERR_STORE_READ` when that is not the file of UEM
 */
export function makeNodeFile(maker: CertificateMaker, uem: RoleFile, { host, advertise }: RolePlace): RoleFile {
  if (uem.uem === undefined) throw new ProtocolError('ERR_STORE_READ', 'the file of UEM has no key of the root');
  const { tenantId, coreId, root, place } = uem;
  const issuer = { ...readPrivateKeyPem(uem.uem.rootKey), certificate: fromPem('CERTIFICATE', root) };
  const { scalar, publicKey, certificate } = makeRole(maker, issuer, 'connectivity-node', [...new Set(['localhost', '127.0.0.1', '::1', advertise])]);
  const exchange = makeSigningKey(maker);
  return {
    format: 1,
    role: 'connectivity-node',
    tenantId,
    coreId,
    root,
    key: privateKeyPem(scalar, publicKey),
    certificate: toPem('CERTIFICATE', certificate),
    place: { ...place, roles: { ...place.roles, 'connectivity-node': { host, advertise } }, ports: { ...place.ports, proxyServices: 0 } },
    node: { keyExchangeKey: privateKeyPem(exchange.scalar, exchange.publicKey) },
  };
}
