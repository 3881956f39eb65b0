import type { Account, ApiToken, Webhook } from '../domain/model.js';
import type { AuditEntry } from '../audit.js';
import { iso, isoOrUndefined, plainObject } from './json.js';

export function accountView(account: Account, version: number): Record<string, unknown> {
  const { name, fullName, roles, centres, vehicleId, disabled, createdAt } = account;
  return { name, version, fullName, roles, centres, vehicleId, disabled: disabled ?? false, createdAt: iso(createdAt) };
}

export function tokenView(token: ApiToken): Record<string, unknown> {
  const { id, name, roles, scopes, centres, vehicleId, createdAt, createdBy, expiresAt } = token;
  return {
    id,
    name,
    roles,
    scopes,
    centres,
    vehicleId,
    createdAt: iso(createdAt),
    createdBy,
    expiresAt: isoOrUndefined(expiresAt),
  };
}

/** The secrets are shown once, where they are made; here only how many are valid. */
export function webhookView(webhook: Webhook, version: number): Record<string, unknown> {
  return {
    ...plainObject(webhook),
    version,
    secretCount: webhook.secrets.length,
    enabled: webhook.disabledAt === undefined,
  };
}

export const auditView = (entry: AuditEntry): Record<string, unknown> => plainObject(entry);
