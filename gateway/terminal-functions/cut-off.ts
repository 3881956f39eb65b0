/**
 * What takes a terminal away from here (0x8105, reference 5.3): off, silent, or at another server. Nobody calls it back over
 * the link that is gone, so each is for administrators, wants `confirm: true`, and is written once.
 */
import { z } from 'zod';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const CONNECT = 2;
const SWITCH = '0';
const RETURN = '1';

const confirmed = (forgets: string) => z.literal(true).meta({ description: forgets });

/** Commands that the 2019 edition removed, without parameters. */
function silence(name: string, title: string, command: number, forgets: string): TerminalFunction {
  return terminalFunction({
    name,
    title,
    since: 2011,
    until: 2013,
    maintenance: true,
    once: true,
    arguments: z.strictObject({ confirm: confirmed(forgets) }),
    render: (_args, edition) => [message('control', edition, { command, parameters: [] })],
  });
}

const powerOff = silence('power-off', 'Switch the terminal off', 3, 'It must be switched on by hand');
const dataOff = silence(
  'data-off',
  'Stop the terminal’s data communication',
  6,
  'It is not heard until someone starts it by hand',
);
const radioOff = silence('radio-off', 'Stop all radio of the terminal', 7, 'No data, no calls until someone starts it by hand'); // prettier-ignore

/** The fields are joined with `;` on the wire, and terminals read them as text (reference 5.3). */
const field = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^;\p{Cc}]*$/u, { error: () => 'expected no semicolon and no control characters' });
const port = z.int().min(1).max(65_535);

/** Long enough for another platform to do its work, short enough that a mistake mends itself. */
const connectMin = 60;

const serverSwitch = terminalFunction({
  name: 'server-switch',
  title: 'Have the terminal connect to another server',
  since: 2011,
  maintenance: true,
  once: true,
  arguments: z.strictObject({
    address: field(100).min(1).meta({ description: 'Name or IP address of the other server', example: 'gps.example.org' }),
    tcpPort: port,
    udpPort: port.optional(),
    authCode: field(100).optional().meta({ description: 'Code that the other server knows the terminal by' }),
    dialPoint: field(50).optional().meta({ description: 'APN; left out: as now' }),
    user: field(50).optional(),
    password: field(50).optional(),
    forMin: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .meta({ description: `Minutes until it comes back; 0: never by itself; default ${connectMin}` }),
    confirm: confirmed('It leaves this gateway; a wrong address with `forMin` 0 loses it'),
  }),
  render({ address, tcpPort, udpPort, authCode, dialPoint, user, password, forMin = connectMin }, edition) {
    const fields = [SWITCH, authCode, dialPoint, user, password, address, tcpPort, udpPort, forMin];
    const parameters = fields.map((one) => String(one ?? ''));
    return [message('control', edition, { command: CONNECT, parameters })];
  },
}); // prettier-ignore

const serverReturn = terminalFunction({
  name: 'server-return',
  title: 'Have the terminal connect to its own server again',
  since: 2011,
  maintenance: true,
  once: true,
  arguments: z.strictObject({}),
  render: (_args, edition) => [message('control', edition, { command: CONNECT, parameters: [RETURN] })],
});

export const cutOffFunctions: readonly TerminalFunction[] = [powerOff, dataOff, radioOff, serverSwitch, serverReturn];
