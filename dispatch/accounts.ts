/**
 * People, their sessions and sign-in links, API tokens. Secrets are stored hashed: passwords with scrypt, everything
 * random (128 bits and more) as SHA-256. Every change is one commit with the version that it was decided on.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Role } from './domain/events.js';
import type { Account, ApiToken, Session } from './domain/model.js';
import type { DispatchSettings } from './domain/settings.js';
import { FIRST_CENTRE } from './domain/organisation.js';
import { Refusal } from './domain/tx.js';
import { uuidV7 } from './ids.js';
import { describeDoc } from './indexes.js';
import { dropUndefined } from './objects.js';
import { hashPassword, verifyPassword } from './passwords.js';
import type { Clock } from './ports.js';
import type { DispatchStore, DocPut, StoredDoc } from './store/store.js';

export interface AccountsDeps {
  store: DispatchStore;
  clock: Pick<Clock, 'now'>;
  settings: DispatchSettings;
}

export interface NewAccount {
  name: string;
  fullName?: string;
  roles: Role[];
  centres?: string[] | undefined;
  vehicleId?: string | undefined;
  password: string;
}
export type AccountChanges = Partial<Pick<Account, 'fullName' | 'roles' | 'disabled'>> & {
  centres?: string[] | null;
  vehicleId?: string | null;
  password?: string;
};

/** A signed-in person stays so for twelve hours: a shift; a console that is open renews nothing. */
export const SESSION_MS = 12 * 3_600_000;
/** A sign-in link is for the person who started the program, now. */
const LINK_MS = 15 * 60_000;
export const MIN_PASSWORD_LENGTH = 10;
type Kind = 'account' | 'session' | 'token';
const NAME = /^[\p{L}\p{N}_.@-]{1,64}$/u;

/** SHA-256 of a random secret, hex: what the store keeps of it. */
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const newSecret = (): string => randomBytes(32).toString('base64url');
/** Every role but crew, which belongs to a vehicle: the rights of the first administrator, who may then share them out. */
export const FIRST_ROLES: Role[] = ['administrator', 'supervisor', 'agent', 'dispatcher'];

export class Accounts {
  constructor(private readonly deps: AccountsDeps) {}

  async list(): Promise<Account[]> {
    return this.#all<Account>('accounts');
  }

  async find(name: string): Promise<{ value: Account; version: number } | undefined> {
    const found = await this.deps.store.get('account', name);
    return found && { value: found.value as Account, version: found.version };
  }

  /** @throws {Refusal} `accountExists`, `weakPassword`, `wrongName`, `vehicleNeeded` */
  async create(input: NewAccount): Promise<Account> {
    if (!NAME.test(input.name))
      throw new Refusal(
        'wrongName',
        `"${input.name}" is no name for an account: 1–64 letters, digits and _ . @ -`,
        422,
      );
    const account: Account = {
      name: input.name,
      fullName: input.fullName ?? input.name,
      roles: input.roles,
      ...(input.centres ? { centres: input.centres } : {}),
      ...(input.vehicleId ? { vehicleId: input.vehicleId } : {}),
      passwordHash: await hashPassword(checkedPassword(input.password)),
      createdAt: this.deps.clock.now(),
    };
    await this.#checkPlace(account);
    if (!(await this.#write('account', account.name, 0, account))) {
      throw new Refusal('accountExists', `there is an account "${account.name}" already`);
    }
    return account;
  }

  /** Changes the account; a new password or lesser rights end its sessions. @throws {Refusal} `noSuchAccount`, `lastAdministrator`, … */
  async edit(name: string, changes: AccountChanges, ifVersion?: number): Promise<{ value: Account; version: number }> {
    const found = await this.#must(name, ifVersion);
    const { password, centres, vehicleId, ...plain } = changes;
    const account: Account = { ...found.value, ...plain };
    if (centres !== undefined) setOrDelete(account, 'centres', centres);
    if (vehicleId !== undefined) setOrDelete(account, 'vehicleId', vehicleId);
    if (password !== undefined) account.passwordHash = await hashPassword(checkedPassword(password));
    await this.#checkPlace(account);
    if (isActiveAdministrator(found.value) && !isActiveAdministrator(account)) await this.#mustNotBeLast(name);
    await this.#mustWrite('account', name, found.version, account);
    const ends =
      password !== undefined || plain.disabled === true || plain.roles !== undefined || centres !== undefined;
    if (ends) await this.endSessions(name);
    return { value: account, version: found.version + 1 };
  }

  /** @throws {Refusal} `noSuchAccount`, `lastAdministrator` */
  async remove(name: string, ifVersion?: number): Promise<void> {
    const found = await this.#must(name, ifVersion);
    if (isActiveAdministrator(found.value)) await this.#mustNotBeLast(name);
    await this.#mustWrite('account', name, found.version, undefined);
    await this.endSessions(name);
  }

  /**
   * The account, where name and password are right and it is not disabled. Takes the same time for unknown names.
   * @param from the address that asks: addresses take turns
   */
  async verify(name: string, password: string, from: string): Promise<Account | undefined> {
    const found = NAME.test(name) ? await this.find(name) : undefined;
    const right = await verifyPassword(password, found?.value.passwordHash, from);
    return right && found && !found.value.disabled ? found.value : undefined;
  }

  /**
   * Makes the first administrator where the store has no account: with the given password, else with one made here,
   * which is returned to be printed once and is not kept. A password from the configuration is taken as it is (a
   * short one is refused with the settings, unless only this machine reaches the console); `weak` says that it is
   * shorter than the API would take.
   */
  async ensureFirstAdministrator(
    password?: string,
  ): Promise<{ name: string; password?: string; weak?: boolean } | undefined> {
    const page = await this.deps.store.scan({ index: 'accounts', limit: 1 });
    if (page.items.length > 0) return undefined;
    const made = password ?? randomBytes(15).toString('base64url');
    const account: Account = {
      name: 'admin',
      fullName: 'Administrator',
      roles: FIRST_ROLES,
      passwordHash: await hashPassword(made),
      createdAt: this.deps.clock.now(),
    };
    // Another node that starts at the same moment has made it.
    if (!(await this.#write('account', account.name, 0, account))) return undefined;
    if (password === undefined) return { name: account.name, password: made };
    return { name: account.name, ...([...password].length < MIN_PASSWORD_LENGTH ? { weak: true } : {}) };
  }

  // sessions

  /** The secret goes into the cookie and nowhere else. */
  async openSession(name: string): Promise<{ secret: string; session: Session }> {
    const secret = newSecret();
    const now = this.deps.clock.now();
    const session: Session = {
      id: sha256(secret),
      account: name,
      createdAt: now,
      expiresAt: now + SESSION_MS,
      csrf: newSecret(),
    };
    await this.#mustWrite('session', session.id, 0, session);
    return { secret, session };
  }

  /** Session and account of a cookie's secret, while both are valid. */
  async session(secret: string): Promise<{ session: Session; account: Account } | undefined> {
    const found = await this.deps.store.get('session', sha256(secret));
    const session = found?.value as Session | undefined;
    if (!session || session.expiresAt <= this.deps.clock.now()) return undefined;
    const account = (await this.find(session.account))?.value;
    return account && !account.disabled ? { session, account } : undefined;
  }

  async endSession(id: string): Promise<void> {
    const found = await this.deps.store.get('session', id);
    if (found) await this.#write('session', id, found.version, undefined);
  }

  /** Ends all sessions of the account, those that ran out included. */
  async endSessions(name: string): Promise<number> {
    const ended = await this.#all<Session>('sessions.account', `${name}/`);
    for (const { id } of ended) await this.endSession(id);
    return ended.length;
  }

  // sign-in links

  /** A link that opens the console signed in, once, within a quarter of an hour. @throws {Refusal} `noSuchAccount` */
  async signInLink(name: string): Promise<string> {
    await this.#must(name);
    const secret = newSecret();
    const value = { account: name, expiresAt: this.deps.clock.now() + LINK_MS };
    await this.#commit([{ kind: 'signInLink', id: sha256(secret), expect: 0, value, indexes: [] }]);
    return secret;
  }

  /** Uses the link up; the account's name, or undefined where it was used, ran out or never existed. */
  async useSignInLink(secret: string): Promise<string | undefined> {
    const id = sha256(secret);
    const found = await this.deps.store.get('signInLink', id);
    if (!found) return undefined;
    const link = found.value as { account: string; expiresAt: number };
    // The version decides between two who come at once.
    const won = await this.#commit([{ kind: 'signInLink', id, expect: found.version, value: undefined, indexes: [] }]);
    const account = (await this.find(link.account))?.value;
    const valid = won && link.expiresAt > this.deps.clock.now() && account && !account.disabled;
    return valid ? link.account : undefined;
  }

  // tokens

  async tokens(): Promise<ApiToken[]> {
    return this.#all<ApiToken>('tokens');
  }

  /** The secret is shown once. @throws {Refusal} `vehicleNeeded`, `noSuchVehicle`, `noSuchCentre` */
  async createToken(
    input: Pick<ApiToken, 'name' | 'roles' | 'scopes' | 'centres' | 'expiresAt' | 'vehicleId'>,
    by: string,
  ): Promise<{ secret: string; token: ApiToken }> {
    const now = this.deps.clock.now();
    if (input.expiresAt !== undefined && input.expiresAt <= now)
      throw new Refusal('alreadyExpired', 'the token would end before it begins', 422);
    await this.#checkPlace(input);
    const secret = `lct_${newSecret()}`;
    const token: ApiToken = {
      ...dropUndefined(input),
      id: uuidV7(now, randomBytes),
      sha256: sha256(secret),
      createdAt: now,
      createdBy: by,
    };
    await this.#mustWrite('token', token.id, 0, token);
    return { secret, token };
  }

  /** The token of a secret, while it is valid. */
  async token(secret: string): Promise<ApiToken | undefined> {
    const hash = sha256(secret);
    const page = await this.deps.store.scan({ index: 'tokens.sha256', from: hash, to: `${hash}!`, limit: 1 });
    const token = page.items[0]?.value as ApiToken | undefined;
    return token && (token.expiresAt === undefined || token.expiresAt > this.deps.clock.now()) ? token : undefined;
  }

  /** @throws {Refusal} `noSuchToken` */
  async removeToken(id: string): Promise<void> {
    const found = await this.deps.store.get('token', id);
    if (!found) throw new Refusal('noSuchToken', `there is no token "${id}"`, 404);
    await this.#mustWrite('token', id, found.version, undefined);
  }

  // inside

  async #all<T>(index: string, prefix = ''): Promise<T[]> {
    const items: StoredDoc[] = [];
    let after: string | undefined;
    do {
      const range = prefix ? { from: prefix, to: `${prefix}\xff` } : {};
      const page = await this.deps.store.scan({ index, ...range, limit: 1_000, ...(after ? { after } : {}) });
      items.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return items.map((item) => item.value as T);
  }

  async #must(name: string, ifVersion?: number): Promise<{ value: Account; version: number }> {
    const found = await this.find(name);
    if (!found) throw new Refusal('noSuchAccount', `there is no account "${name}"`, 404);
    if (ifVersion !== undefined && ifVersion !== found.version) {
      throw new Refusal('versionMismatch', `the account is at version ${found.version} now; read it again`, 412, {
        version: found.version,
      });
    }
    return found;
  }

  /** Centres and vehicle must exist; the crew role needs a vehicle. */
  async #checkPlace(of: { roles: readonly Role[]; centres?: string[]; vehicleId?: string }): Promise<void> {
    if (of.roles.includes('crew') && of.vehicleId === undefined) {
      throw new Refusal('vehicleNeeded', 'the role crew is for one vehicle: name it', 422);
    }
    for (const id of of.centres ?? []) {
      if (id !== FIRST_CENTRE && !(await this.deps.store.get('centre', id)))
        throw new Refusal('noSuchCentre', `there is no repair centre "${id}"`, 422);
    }
    if (of.vehicleId !== undefined && !(await this.deps.store.get('vehicle', of.vehicleId))) {
      throw new Refusal('noSuchVehicle', `there is no vehicle "${of.vehicleId}"`, 422);
    }
  }

  async #mustNotBeLast(name: string): Promise<void> {
    const others = (await this.list()).filter((account) => account.name !== name && isActiveAdministrator(account));
    if (others.length === 0) throw new Refusal('lastAdministrator', `"${name}" is the last administrator`);
  }

  async #write(
    kind: Kind,
    id: string,
    expect: number,
    value: Account | Session | ApiToken | undefined,
  ): Promise<boolean> {
    const described = value === undefined ? { indexes: [] } : describeDoc(kind, value as never, this.deps.settings);
    return this.#commit([{ kind, id, expect, value, ...described }]);
  }
  async #mustWrite(
    kind: Kind,
    id: string,
    expect: number,
    value: Account | Session | ApiToken | undefined,
  ): Promise<void> {
    if (await this.#write(kind, id, expect, value)) return;
    throw new Refusal('changedMeanwhile', `${kind} "${id}" was changed at the same time; read it again`);
  }
  async #commit(puts: DocPut[]): Promise<boolean> {
    return (await this.deps.store.commit({ puts })).ok;
  }
}

function checkedPassword(password: string): string {
  const length = [...password].length;
  if (length >= MIN_PASSWORD_LENGTH && length <= 256) return password;
  throw new Refusal(
    'weakPassword',
    `a password has ${MIN_PASSWORD_LENGTH} to 256 characters; this one has ${length}`,
    422,
  );
}

const isActiveAdministrator = (account: Account): boolean =>
  account.roles.includes('administrator') && !account.disabled;

function setOrDelete<T, K extends keyof T>(target: T, key: K, value: T[K] | null): void {
  if (value === null) delete target[key];
  else target[key] = value;
}
