/** `/vehicles/{id}/terminal/…`: what the terminal can be asked to do, each as a delivery with receipt and history. */
import { z } from 'zod';
import type { Delivery, Terminal } from '../../dispatch/domain/model.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { Answer, route, type Context, type Route } from '../../dispatch/api/http/route.js';
import { Problem } from '../../dispatch/api/http/problem.js';
import { byId, flag } from '../../dispatch/api/schemas/common.js';
import { delivery } from '../../dispatch/api/schemas/vehicle.js';
import type { ApiPlugin } from '../../dispatch/api/server.js';
import { plainObject } from '../../dispatch/views/json.js';
import { DecodeError, EncodeError, parameters } from '../../protocol/index.js';
import { editionOf, lacks, terminalFunctions, type TerminalFunction } from '../terminal-functions/index.js';
import type { TerminalFiles } from '../terminal-files.js';
import { DeliveryEnds } from './delivery-ends.js';

const TAG = 'Terminals';
/** How long a request waits for the answer, ms of gateway time. */
const waitMs = 30_000;
/** After this a command is of no use any more, s of gateway time, unless the request says otherwise. */
const defaultTimeoutS = 300;
const timeoutMaxS = 86_400;

const query = z.strictObject({
  wait: flag.optional().meta({ description: `1 waits up to ${waitMs / 1000} s for the answer` }),
  timeoutS: z
    .string()
    .regex(/^\d{1,6}$/, { error: () => `expected seconds from 5 to ${timeoutMaxS}` })
    .transform(Number)
    .pipe(z.int().min(5).max(timeoutMaxS))
    .optional()
    .meta({ description: `Seconds after which it is not tried any more; default ${defaultTimeoutS}` }),
});

const listed = z.object({
  name: z.string(),
  title: z.string(),
  supported: z.boolean(),
  reason: z.string().optional().meta({ description: 'Code where it is not supported' }),
  detail: z.string().optional(),
});

const parameter = z.object({
  name: z.string(),
  id: z.int(),
  title: z.string(),
  type: z.enum(['u8', 'u16', 'u32', 'text', 'bytes']).meta({ description: 'bytes are written as hex' }),
  unit: z.string().optional(),
  words: z.record(z.string(), z.string()).optional().meta({ description: 'What its numbers mean' }),
  critical: z.boolean().meta({ description: 'A wrong value cuts the terminal off: set it with `confirm`' }),
});

export function terminalFunctionsPlugin(dispatch: DispatchPort, files: TerminalFiles): ApiPlugin {
  return async (app, api) => {
    const ends = new DeliveryEnds(dispatch);
    await ends.start();
    // Before the server waits for its requests: those that wait end at once.
    app.addHook('preClose', async () => ends.stop());
    api.route(listRoute(dispatch));
    api.route(parametersRoute(dispatch));
    for (const one of terminalFunctions) api.route(callRoute({ dispatch, ends, files }, one));
  };
}

function listRoute(dispatch: DispatchPort): Route {
  return route({
    method: 'GET',
    path: '/vehicles/{id}/terminal/functions',
    tag: TAG,
    right: 'vehicle.deliveries',
    summary: 'What this terminal can be asked to do',
    params: byId,
    responses: {
      200: {
        description: 'Every function, and why one is not supported',
        schema: z.object({ edition: z.int(), profile: z.string(), items: z.array(listed) }),
      },
    },
    async handler({ guard, params }) {
      const { value } = await guard.read('vehicle.deliveries', 'vehicle', params.id);
      const terminal = await terminalOf(dispatch, value.terminal.phone);
      const items = terminalFunctions.map((one) => {
        const why = lacks(one, terminal);
        const { name, title } = one;
        return why ? { name, title, supported: false, reason: why.code, detail: why.words } : { name, title, supported: true };
      });
      return { edition: editionOf(terminal), profile: terminal.profile, items };
    },
  });
} // prettier-ignore

function parametersRoute(dispatch: DispatchPort): Route {
  return route({
    method: 'GET',
    path: '/vehicles/{id}/terminal/parameters',
    tag: TAG,
    right: 'vehicle.deliveries',
    summary: 'The parameters that this terminal’s edition has: names, units, meanings. Their values it is asked for',
    params: byId,
    responses: {
      200: { description: 'By id', schema: z.object({ edition: z.int(), items: z.array(parameter) }) },
    },
    async handler({ guard, params }) {
      const { value } = await guard.read('vehicle.deliveries', 'vehicle', params.id);
      const edition = editionOf(await terminalOf(dispatch, value.terminal.phone));
      const items = parameters
        .filter(({ since, until = edition }) => since <= edition && edition <= until)
        .map(({ id, name, title, type, typeIn2011, unit, words, critical = false }) => {
          const shownType = (edition === 2011 ? typeIn2011 : undefined) ?? type;
          return { id, name, title, type: shownType, unit, words, critical };
        });
      return { edition, items };
    },
  });
}

interface CallDeps {
  dispatch: DispatchPort;
  ends: DeliveryEnds;
  files: TerminalFiles;
}

function callRoute({ dispatch, ends, files }: CallDeps, one: TerminalFunction): Route {
  return route({
    method: 'POST',
    path: `/vehicles/{id}/terminal/${one.name}`,
    tag: TAG,
    right: one.maintenance ? 'terminal.maintain' : 'delivery.command',
    summary: one.title,
    params: byId,
    query,
    body: one.arguments.prefault({}),
    audit: true,
    responses: {
      202: { description: 'Queued, or how far it came while the request waited', schema: delivery },
      200: { description: 'Ended while the request waited', schema: delivery },
    },
    async handler(context) {
      const { guard, params, body, query: asked } = context as Context<{ id: string }, z.output<typeof query>, unknown>;
      const { value } = await guard.read('vehicle.deliveries', 'vehicle', params.id);
      const terminal = await terminalOf(dispatch, value.terminal.phone);
      const why = lacks(one, terminal);
      if (why) throw new Refusal('unsupportedByTerminal', why.words, 409, { reason: why.code });
      const blob = one.file?.(body);
      checkArguments(one, body, terminal, blob === undefined ? undefined : await files.load(blob));
      const expiresAt = dispatch.clock.now() + (asked.timeoutS ?? one.timeoutS ?? defaultTimeoutS) * 1000;
      const { once, awaits, name } = one;
      const { result } = await guard.execute(
        { type: 'delivery.command', vehicleId: params.id, name, arguments: body, once, awaits, expiresAt },
        context.options(),
      );
      const deliveryId = String(result['deliveryId']);
      const item = await ends.wait(params.id, deliveryId, asked.wait ? waitMs : 0);
      return answer(item, deliveryId, asked.wait === true);
    },
  });
}

/** Rendered once for its faults alone: what the terminal's edition does not take is refused before it is queued. */
function checkArguments(one: TerminalFunction, args: unknown, terminal: Terminal, data: Uint8Array | undefined): void {
  // terminal.proto has no editions: it takes whatever the schema of the arguments does.
  if (terminal.profile === 'mqtt') return;
  try {
    one.render(args, editionOf(terminal), data);
  } catch (error) {
    if (!(error instanceof EncodeError || error instanceof DecodeError)) throw error;
    const pointer = error instanceof EncodeError ? `#/${error.path.replaceAll('.', '/')}` : '#';
    throw new Problem('invalidValue', error.message, { errors: [{ detail: error.message, pointer }] });
  }
}

const OPEN: readonly Delivery['state'][] = ['queued', 'inFlight', 'unanswered'];

function answer(item: Delivery | undefined, deliveryId: string, waited: boolean): Answer {
  // Gone from the outbox already: 200 ended items are kept.
  if (item === undefined) throw new Problem('conflict', `delivery ${deliveryId} ended and is not kept any more`);
  return new Answer(waited && !OPEN.includes(item.state) ? 200 : 202, plainObject(item));
}

async function terminalOf(dispatch: DispatchPort, phone: string): Promise<Terminal> {
  const found = await dispatch.get('terminal', phone);
  if (!found) throw new Problem('notFound', `there is no terminal ${phone}`);
  return found.value;
}
