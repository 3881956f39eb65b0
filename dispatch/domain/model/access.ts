/** Who may come in: accounts, tokens, sessions, webhooks. */
import type { Role } from '../events.js';

export interface Account {
  name: string;
  fullName: string;
  roles: Role[];
  centres?: string[];
  vehicleId?: string;
  passwordHash: string;
  disabled?: boolean;
  createdAt: number;
}

export interface ApiToken {
  id: string;
  name: string;
  sha256: string;
  roles: Role[];
  scopes?: string[];
  centres?: string[];
  /** Vehicle of a token with the role crew. */
  vehicleId?: string;
  createdAt: number;
  createdBy: string;
  expiresAt?: number;
}

export interface Session {
  /** SHA-256 of the cookie's secret. */
  id: string;
  account: string;
  createdAt: number;
  expiresAt: number;
  csrf: string;
}

export interface Webhook {
  id: string;
  url: string;
  /** Symmetric signing secrets, newest first (Standard Webhooks, base64). */
  secrets: string[];
  types: string[];
  centres?: string[];
  createdAt: number;
  /** Position of the last event delivered. */
  position: number;
  failing?: { since: number; attempts: number; lastStatus?: number; lastReason?: string; nextAt: number };
  disabledAt?: number;
}
