/**
 * Which addresses a webhook may be sent to. Whoever may set up webhooks must not reach through the gateway what only
 * the gateway's own network can reach: link-local and metadata services never, private networks only where allowed.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export class BlockedAddress extends Error {
  readonly code = 'EBLOCKED';
}

function list(...subnets: [string, number, 'ipv4' | 'ipv6'][]): BlockList {
  const blocked = new BlockList();
  for (const [net, prefix, family] of subnets) blocked.addSubnet(net, prefix, family);
  return blocked;
}

/** Nothing that is a receiver lives here: this network, link-local (cloud metadata), multicast, reserved, documentation. */
const NEVER = list(
  ['0.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'], // metadata service of a large Chinese cloud
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::254', 128, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
);
/** Loopback and private networks: allowed by configuration (`LINECREW_WEBHOOK_PRIVATE`). */
const PRIVATE = list(
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
);

/** IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as the IPv4 that it reaches. */
function embedded(address: string): string | undefined {
  const mapped = /^(?:::ffff:|64:ff9b::)(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1];
  const hex =
    /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ??
    /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/i.exec(address);
  if (!hex) return undefined;
  const [high, low] = [Number.parseInt(hex[1]!, 16), Number.parseInt(hex[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Why an address is refused, or undefined where it is not. */
export function refusedAddress(address: string, allowPrivate: boolean): string | undefined {
  const inner = embedded(address);
  if (inner !== undefined) return refusedAddress(inner, allowPrivate);
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (NEVER.check(address, family)) return `${address} is link-local, metadata, multicast or reserved`;
  if (!allowPrivate && PRIVATE.check(address, family))
    return `${address} is private (LINECREW_WEBHOOK_PRIVATE allows it)`;
  return undefined;
}

/** Why a URL is refused before anything is looked up. */
export function refusedUrl(text: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(text)) return 'it is no URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivate)) return 'it must begin with https://';
  if (url.username !== '' || url.password !== '') return 'it must not hold a user name or password';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return refusedAddress(host, allowPrivate);
  if (!allowPrivate && /(^|\.)(localhost|local|internal|home\.arpa)$/i.test(host)) return `${host} is a private name`;
  return undefined;
}

/**
 * `lookup` for a socket: the addresses that are judged are the ones that are connected to, so a name cannot be judged
 * with one address and reached at another.
 */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const addresses = found;
      for (const { address } of addresses) {
        const why = refusedAddress(address, allowPrivate);
        if (why !== undefined) return callback(new BlockedAddress(`${hostname}: ${why}`), '', 0);
      }
      const first = addresses[0];
      if (!first) return callback(new Error(`${hostname} has no address`), '', 0);
      if (options.all) (callback as unknown as (error: null, all: LookupAddress[]) => void)(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
