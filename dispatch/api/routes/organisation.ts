/** Repair centres, units, and the rules that are kept in the store. */
import { z } from 'zod';
import { isDeepStrictEqual } from 'node:util';
import { FIRST_CENTRE, RULES_ID } from '../../domain/organisation.js';
import type { RepairCentre, Unit } from '../../domain/model.js';
import { BUILT_IN, builtInParts, rulesInForce, type BuiltIn } from '../../domain/rules.js';
import type { Versioned } from '../../ports.js';
import { plainObject } from '../../views/json.js';
import type { Guard } from '../guard.js';
import { checkVersion, etagOf } from '../http/etag.js';
import { page } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, id, manager, name, pageOf, pageQuery } from '../schemas/common.js';
import { siteClass } from '../schemas/order.js';
import { rulesSchema } from '../schemas/rules.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Organisation';
const minutes = z.number().min(0).max(10_000);
const limits = z
  .strictObject({
    AB: minutes, BC: minutes, CD: minutes, R: minutes, DE: minutes, DEsameOffice: minutes, EF: minutes, FG: minutes, GH: minutes,
    AH: minutes, 'AH.country': minutes, 'AH.remote': minutes,
  })
  .partial()
  .meta({ description: 'Minutes by segment, above the defaults; AH is the promise for a town site' }); // prettier-ignore

/** What an answer shows and nobody sets, so that an answer can be sent back as it is; `If-Match` carries the version. */
const shownOnly = {
  id: id.optional().meta({ description: 'As in the path' }),
  version: z.int().optional().meta({ description: 'Read only' }),
};
const centreIn = z.strictObject({
  ...shownOnly,
  name: name.optional(),
  siteClasses: z.array(siteClass).min(1).max(3).optional(),
  limits: limits.optional(),
  automaticMode: z.boolean().optional(),
  deliveryDeadlineMin: minutes.optional(),
});
const centre = z.looseObject({
  id: z.string(),
  version: z.int(),
  name: z.string(),
  siteClasses: z.array(siteClass),
  limits: z.record(z.string(), z.number()),
  automaticMode: z.boolean(),
});
const unitIn = z.strictObject({
  ...shownOnly,
  kind: z.string().trim().min(1).max(60),
  name: name.optional(),
  repairCentreId: id.optional(),
  managers: z.array(manager).max(2).meta({ description: 'Called in this order when a crew does not accept' }),
});
const unit = z.looseObject({
  id: z.string(),
  version: z.int(),
  kind: z.string(),
  managers: z.array(z.looseObject({ name: z.string() })),
});
/** The centre that every store has, before anything was changed. */
const FIRST: RepairCentre = {
  id: FIRST_CENTRE,
  name: FIRST_CENTRE,
  siteClasses: ['town', 'country', 'remote'],
  limits: {},
  automaticMode: false,
};

export function organisationRoutes({ dispatch }: RouteDeps): Route[] {
  const rules = rulesSchema(dispatch.settings);
  const rulesShown = rules
    .extend({
      builtIn: z
        .array(z.enum(Object.keys(BUILT_IN) as BuiltIn[]))
        .optional()
        .meta({
          description: 'Parts that nobody has set: what Linecrew brings along holds. Read only',
        }),
    })
    .meta({ id: 'RulesInForce' });
  const showRules = async (): Promise<Answer> => {
    const found = await dispatch.get('rules', RULES_ID);
    const stored = found?.value.value ?? {};
    const shown = { ...rulesInForce(stored), builtIn: builtInParts(stored) };
    return new Answer(200, shown, { etag: etagOf(found?.version ?? 0) });
  };
  const present = async <K extends 'centre' | 'unit'>(kind: K, key: string): Promise<Versioned<K> | undefined> => {
    const found = await dispatch.get(kind, key);
    return (
      found ?? (kind === 'centre' && key === FIRST_CENTRE ? ({ value: FIRST, version: 0 } as Versioned<K>) : undefined)
    );
  };
  const read = async <K extends 'centre' | 'unit'>(guard: Guard, kind: K, key: string): Promise<Versioned<K>> => {
    const found = await present(kind, key);
    const centreId = kind === 'centre' ? key : (found?.value as Unit | undefined)?.repairCentreId;
    if (!found || !guard.sees('organisation.read', { centreId })) {
      throw new Problem('notFound', `there is no ${kind === 'centre' ? 'repair centre' : 'unit'} "${key}"`);
    }
    return found;
  };
  const show = ({ value, version }: Versioned<'centre'> | Versioned<'unit'>): Answer =>
    new Answer(200, { ...plainObject(value), version }, { etag: etagOf(version) });

  return [
    route({
      method: 'GET',
      path: '/repair-centres',
      tag: TAG,
      right: 'organisation.read',
      summary: 'Repair centres',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of repair centres', schema: pageOf(centre) } },
      async handler({ guard, query }) {
        const found = await page(dispatch, { index: 'centres' }, query, (docs) =>
          (docs as unknown as Versioned<'centre'>[]).map((doc) =>
            guard.sees('organisation.read', { centreId: doc.value.id })
              ? { ...plainObject(doc.value), version: doc.version }
              : undefined,
          ),
        );
        const first = await dispatch.get('centre', FIRST_CENTRE);
        const missing =
          !first && query.after === undefined && guard.sees('organisation.read', { centreId: FIRST_CENTRE });
        return missing ? { ...found, items: [{ ...FIRST, version: 0 }, ...found.items] } : found;
      },
    }),
    route({
      method: 'GET',
      path: '/repair-centres/{id}',
      tag: TAG,
      right: 'organisation.read',
      params: byId,
      summary: 'One repair centre',
      responses: { 200: { description: 'The repair centre', schema: centre } },
      handler: async ({ guard, params }) => show(await read(guard, 'centre', params.id)),
    }),
    route({
      method: 'PUT',
      path: '/repair-centres/{id}',
      tag: TAG,
      right: 'centre.put',
      params: byId,
      body: centreIn,
      summary: 'Make or change a repair centre',
      responses: {
        200: { description: 'The repair centre', schema: centre },
        201: { description: 'It is new', schema: centre },
      },
      async handler({ guard, params, body, ifMatch, options }) {
        const before = await present('centre', params.id);
        checkVersion(ifMatch, before?.version ?? 0);
        const { limits: given, id: named, version: _shown, ...plain } = body;
        checkNamed(named, params.id);
        const centreIn = { ...plain, ...(given ? { limits: defined(given) } : {}), id: params.id };
        await guard.execute({ type: 'centre.put', centre: centreIn }, options({ kind: 'centre', id: params.id }));
        const { status, body: shown, headers } = show((await dispatch.get('centre', params.id))!);
        return new Answer(before ? status : 201, shown, headers);
      },
    }),
    route({
      method: 'GET',
      path: '/units',
      tag: TAG,
      right: 'organisation.read',
      audit: true,
      summary: 'Units with their managers',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of units', schema: pageOf(unit) } },
      handler: ({ guard, query }) =>
        page(dispatch, { index: 'units' }, query, (docs) =>
          (docs as unknown as Versioned<'unit'>[]).map((doc) =>
            guard.sees('organisation.read', { centreId: doc.value.repairCentreId })
              ? { ...plainObject(doc.value), version: doc.version }
              : undefined,
          ),
        ),
    }),
    route({
      method: 'GET',
      path: '/units/{id}',
      tag: TAG,
      right: 'organisation.read',
      audit: true,
      params: byId,
      summary: 'One unit',
      responses: { 200: { description: 'The unit', schema: unit } },
      handler: async ({ guard, params }) => show(await read(guard, 'unit', params.id)),
    }),
    route({
      method: 'PUT',
      path: '/units/{id}',
      tag: TAG,
      right: 'unit.put',
      params: byId,
      body: unitIn,
      summary: 'Make or change a unit',
      responses: { 200: { description: 'The unit', schema: unit }, 201: { description: 'It is new', schema: unit } },
      async handler({ guard, params, body, ifMatch, options }) {
        const before = await dispatch.get('unit', params.id);
        checkVersion(ifMatch, before?.version ?? 0);
        const about = { kind: 'unit' as const, id: params.id };
        const { id: named, version: _shown, ...unitIn } = body;
        checkNamed(named, params.id);
        await guard.execute({ type: 'unit.put', unit: { ...unitIn, id: params.id } }, options(about));
        const { status, body: shown, headers } = show((await dispatch.get('unit', params.id))!);
        return new Answer(before ? status : 201, shown, headers);
      },
    }),
    route({
      method: 'GET',
      path: '/rules',
      tag: TAG,
      right: 'rules.read',
      summary: 'The rules that hold',
      responses: { 200: { description: 'The rules; `builtIn` names what nobody has set', schema: rulesShown } },
      handler: showRules,
    }),
    route({
      method: 'PUT',
      path: '/rules',
      tag: TAG,
      right: 'rules.put',
      summary: 'Replace the rules',
      body: rulesShown,
      responses: { 200: { description: 'The rules', schema: rulesShown } },
      async handler({ guard, body, ifMatch, options }) {
        const before = await dispatch.get('rules', RULES_ID);
        checkVersion(ifMatch, before?.version ?? 0);
        const { builtIn = [], ...given } = body;
        const value: Record<string, unknown> = { ...given };
        // What came back as it was shown stays built in.
        for (const part of builtIn) if (isDeepStrictEqual(value[part], BUILT_IN[part])) delete value[part];
        await guard.execute({ type: 'rules.put', value }, options({ kind: 'rules', id: RULES_ID }));
        return showRules();
      },
    }),
  ];
}

function checkNamed(named: string | undefined, key: string): void {
  if (named === undefined || named === key) return;
  throw new Problem('invalidValue', `id is ${named}, the address says ${key}`, {
    errors: [{ pointer: '#/id', detail: `is ${named}`, expected: key }],
  });
}

function defined(given: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as Record<string, number>;
}
