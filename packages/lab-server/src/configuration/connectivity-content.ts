import * as v from 'valibot';
import { flag, hostName, hosts, line, port } from './content-parts.ts';

const hostOrAddress = v.union([hostName, v.pipe(v.string(), v.ipv6('is not a host name or address'))]);
const priority = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(100));

const routed = {
  route: v.picklist(['DIRECT', 'PROXY', 'DENY']),
  /** Name of one of `proxyClusters`; absent with PROXY: every Proxy of the tenant. */
  cluster: v.optional(line(64)),
  /** Absent: every port. */
  ports: v.optional(v.pipe(v.array(port), v.minLength(1), v.maxLength(32))),
};

/** Where connections of Dynamics apps go (F10, F11, F15). */
const connectivity = v.strictObject({
  /** Every host that no entry names goes through the Proxies. */
  routeAllTraffic: flag,
  /** Put behind names without a domain. */
  defaultDomains: hosts,
  /** Of hosts that no entry names; absent: DIRECT, which leads to nothing internal. */
  defaultRoute: v.optional(v.picklist(['DIRECT', 'PROXY', 'DENY'])),
  defaultCluster: v.optional(line(64)),
  /** A domain and all below it. */
  allowedDomains: v.optional(v.pipe(v.array(v.strictObject({ domain: hostName, ...routed })), v.maxLength(200))),
  /** One host. */
  additionalServers: v.optional(v.pipe(v.array(v.strictObject({ server: hostOrAddress, ...routed })), v.maxLength(200))),
  proxyClusters: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          name: line(64),
          /** Apps connect to the Proxies themselves (F11), never through the NOC. */
          directConnect: flag,
          /** Ids of Proxies; 1 is the highest priority. */
          proxies: v.pipe(v.array(v.strictObject({ id: line(128), priority: v.optional(priority) })), v.maxLength(32)),
        }),
      ),
      v.maxLength(32),
    ),
  ),
});

/** Content of a *dynamics-connectivity* profile (docs/protocol/04-access-key.md, 4.6). */
export const connectivityContent: v.GenericSchema = v.pipe(connectivity, v.check(namesItsClusters, 'names a cluster that proxyClusters does not have'));

function namesItsClusters({ allowedDomains = [], additionalServers = [], proxyClusters = [], defaultCluster }: v.InferOutput<typeof connectivity>): boolean {
  const known = new Set(proxyClusters.map(({ name }) => name));
  const named = [...allowedDomains, ...additionalServers].map(({ cluster }) => cluster);
  return [...named, defaultCluster].every((name) => name === undefined || known.has(name));
}
