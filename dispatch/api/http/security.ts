/** Security headers, content policy and the check for requests from other sites. */
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

export interface SecurityConfig {
  publicUrl?: string | undefined;
  /** HTTPS in front or here: cookies are Secure and browsers are told to stay with it. */
  secureCookies: boolean;
  /** Base map: a raster template, a style URL, or `pmtiles:FILE` (served by ourselves). */
  mapUrl?: string | undefined;
  /** Further hosts that the map style loads from. */
  mapHosts?: readonly string[] | undefined;
}

/** Origin of the map's tiles, for the policy. `{s}` of a template becomes a wildcard. */
function mapOrigins({ mapUrl, mapHosts = [] }: SecurityConfig): string[] {
  const origins = [...mapHosts];
  const match = mapUrl === undefined ? null : /^(https?:\/\/)([^/?#]+)/i.exec(mapUrl);
  if (match) origins.push(match[1]! + match[2]!.replace(/^\{[^}]*\}\./, '*.').replace(/\{[^}]*\}/g, '*'));
  // Nothing that could end the directive or begin another one.
  return origins.filter((origin) => /^https?:\/\/[\w.*:[\]-]+$/.test(origin));
}

/**
 * Content policy of every page and answer: nothing but our own files, and the map's host. There is no
 * `upgrade-insecure-requests`: a plain-HTTP network would load nothing.
 */
export function contentPolicy(config: SecurityConfig): string {
  const map = mapOrigins(config)
    .map((origin) => ' ' + origin)
    .join('');
  return [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob:${map}`,
    `connect-src 'self'${map}`,
    "worker-src 'self'",
    "font-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function securityHeaders(config: SecurityConfig): Record<string, string> {
  return {
    'content-security-policy': contentPolicy(config),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(self), geolocation=(self), microphone=(), payment=(), usb=()',
    ...(config.secureCookies ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses changes that a page of another site sends with our cookie: browsers say where a request comes from, and a
 * client that says nothing is no browser.
 * @throws {Problem} `crossSite`
 */
export function refuseCrossSite(request: FastifyRequest, config: SecurityConfig): void {
  if (SAFE.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  if (site === 'cross-site' || (origin !== undefined && !isOwn(origin, request, config))) {
    throw new Problem(
      'crossSite',
      `the request came from ${origin ?? 'another site'}; changes are taken from this address only`,
    );
  }
}

function isOwn(origin: string, request: FastifyRequest, config: SecurityConfig): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  if (config.publicUrl !== undefined && new URL(config.publicUrl).host === host) return true;
  return host === request.host;
}
