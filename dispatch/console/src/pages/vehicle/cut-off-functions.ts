/** What takes a terminal away from this gateway: each wants to be confirmed in its form. */
import { check, number, optionalNumber, text, type Argument, type FunctionLook } from './function-look.js';

const sure: Argument = { ...check('confirm', 'arg.confirmCutOff'), required: true };
const cutOff = { rare: true, maintenance: true, confirm: true } as const;

export const CUT_OFF_FUNCTIONS: readonly FunctionLook[] = [
  {
    name: 'server-switch',
    icon: 'link',
    ...cutOff,
    arguments: [
      text('address', 'arg.serverAddress', 'required'),
      number('tcpPort', 'arg.tcpPort', 1, 65_535),
      optionalNumber('udpPort', 'arg.udpPort', 1, 65_535),
      text('authCode', 'arg.serverCode'),
      text('dialPoint', 'arg.dialPoint'),
      text('user', 'arg.dialUser'),
      text('password', 'arg.dialPassword'),
      number('forMin', 'arg.serverForMin', 0, 65_535, 60),
      sure,
    ],
  },
  { name: 'server-return', icon: 'undo', rare: true, maintenance: true, arguments: [] },
  { name: 'data-off', icon: 'pause', ...cutOff, arguments: [sure] },
  { name: 'radio-off', icon: 'mute', ...cutOff, arguments: [sure] },
  { name: 'power-off', icon: 'out', ...cutOff, arguments: [sure] },
];
