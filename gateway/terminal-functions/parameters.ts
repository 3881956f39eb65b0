/** Parameters of the terminal (reference 5.1, 5.2) by name, and what it says about itself (5.4). */
import { z } from 'zod';
import {
  EncodeError,
  encodeParameter,
  parameterOf,
  type Edition,
  type ParameterDeclaration,
} from '../../protocol/index.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const parameterName = z
  .string()
  .regex(/^([A-Za-z][A-Za-z0-9]{0,40}|0x[0-9a-fA-F]{1,8})$/, {
    error: () => 'expected a parameter’s name (docs/jt808.md, “Parameters”) or its id as 0x…',
  })
  .meta({ example: 'heartbeatInterval' });
/** A 0x8103 counts them in one byte; one frame holds about a hundred. */
const parametersMax = 100;

const idOf = (name: string): number | string => (name.startsWith('0x') ? Number(name) : name);

function declared(name: string, edition: Edition): ParameterDeclaration | undefined {
  const id = idOf(name);
  const found = parameterOf(id);
  if (found === undefined && typeof id === 'string') throw new EncodeError(name, 'no parameter has this name');
  if (found !== undefined && (found.since > edition || (found.until ?? edition) < edition)) {
    throw new EncodeError(name, `the ${edition} edition does not have this parameter`);
  }
  return found;
}

const query = terminalFunction({
  name: 'parameters-query',
  title: 'Ask for parameters: all, or those named',
  since: 2011,
  arguments: z.strictObject({ names: z.array(parameterName).min(1).max(parametersMax).optional() }),
  render({ names }, edition) {
    if (names === undefined) return [message('queryParameters', edition, {})];
    if (edition === 2011) throw new EncodeError('names', 'the 2011 edition can only be asked for all parameters');
    const ids = names.map((name) => declared(name, edition)?.id ?? Number(name));
    return [message('querySomeParameters', edition, { ids })];
  },
});

const set = terminalFunction({
  name: 'parameters-set',
  title: 'Set parameters',
  since: 2011,
  arguments: z.strictObject({
    parameters: z
      .record(parameterName, z.union([z.number(), z.string().max(500)]))
      .refine((given) => Object.keys(given).length > 0 && Object.keys(given).length <= parametersMax, {
        error: () => `expected 1 to ${parametersMax} parameters`,
      })
      .meta({ description: 'Value by name; numbers in the unit of docs/jt808.md, bytes as hex' }),
    confirm: z
      .boolean()
      .optional()
      .meta({ description: 'Needed for parameters that cut the terminal off when they are wrong' }),
  }),
  render({ parameters, confirm }, edition) {
    const items = Object.entries(parameters).map(([name, value]) => {
      if (declared(name, edition)?.critical && confirm !== true) {
        throw new EncodeError(
          `parameters.${name}`,
          'a wrong value cuts the terminal off for good: confirm it with `confirm: true`',
        );
      }
      return encodeParameter(idOf(name), value, edition);
    });
    return [message('setParameters', edition, { parameters: items })];
  },
});

const attributes = terminalFunction({
  name: 'attributes',
  title: 'Ask what the terminal is: maker, model, versions, SIM card',
  since: 2013,
  arguments: z.strictObject({}),
  render: (_args, edition) => [message('queryAttributes', edition, {})],
  app: () => ({ kind: 'describe' }),
});

export const parameterFunctions: readonly TerminalFunction[] = [query, set, attributes];
