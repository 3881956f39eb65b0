/**
 * What a terminal can be asked for, as forms. Which of them a terminal has, and what is wrong with what was entered, the
 * server says (`/vehicles/{id}/terminal/functions`); here is only how each is asked for.
 */
import { textOf } from '../../ui/form-data.js';
import { AREA_FUNCTIONS } from './area-functions.js';
import { CUT_OFF_FUNCTIONS } from './cut-off-functions.js';
import { check, choice, number, text, type Argument, type FunctionLook } from './function-look.js';
import { SERVICE_FUNCTIONS } from './service-functions.js';

const camera = number('channel', 'arg.channel', 1, 127, 1);
const save = choice('save', 'arg.save', 'save', ['upload', 'store']);
const media = choice('media', 'arg.media', 'media', ['image', 'audio', 'video']);
const period: readonly Argument[] = [
  media,
  number('channel', 'arg.anyChannel', 0, 127, 0),
  { name: 'from', kind: 'time', label: 'arg.from' },
  { name: 'to', kind: 'time', label: 'arg.to' },
];
const removeAfter = check('remove', 'arg.remove');

/** In the order in which they are offered: what is used every day comes first. */
export const FUNCTIONS: readonly FunctionLook[] = [
  { name: 'position', icon: 'target', arguments: [] },
  {
    name: 'follow',
    icon: 'link',
    arguments: [number('intervalS', 'arg.intervalS', 0, 3600, 5), number('forS', 'arg.forS', 1, 86_400, 600)],
  },
  {
    name: 'photo',
    icon: 'camera',
    arguments: [
      camera,
      number('count', 'arg.count', 1, 20, 1),
      number('intervalS', 'arg.betweenS', 0, 3600, 0),
      choice(
        'resolution',
        'arg.resolution',
        'resolution',
        ['320x240', '640x480', '800x600', '1024x768', '176x144', '352x288', '704x288', '704x576'],
        '640x480',
      ),
      number('quality', 'arg.quality', 1, 10, 3),
      save,
    ],
  },
  {
    name: 'text',
    icon: 'message',
    arguments: [
      { name: 'text', kind: 'long', label: 'arg.text', required: true },
      check('display', 'arg.display', true),
      check('readOut', 'arg.readOut', true),
      check('urgent', 'new.urgent'),
    ],
  },
  {
    name: 'question',
    icon: 'question',
    arguments: [
      { name: 'question', kind: 'long', label: 'arg.question', required: true },
      { name: 'answers', kind: 'lines', label: 'arg.answers', required: true },
      check('readOut', 'arg.readOut', true),
      check('urgent', 'new.urgent'),
    ],
  },
  { name: 'attributes', icon: 'list', arguments: [] },
  { name: 'clock-offset', icon: 'clock', arguments: [] },
  { name: 'link-test', icon: 'check', arguments: [] },
  { name: 'doors', icon: 'lock', arguments: [choice('lock', 'arg.lock', 'lock', ['true', 'false'])], confirm: true },
  {
    name: 'call-back',
    icon: 'call',
    arguments: [
      { name: 'number', kind: 'text', label: 'arg.number', required: true },
      check('listenOnly', 'arg.listenOnly'),
    ],
  },
  { name: 'video', icon: 'video', arguments: [camera, number('durationS', 'arg.durationS', 1, 60, 10), save] },
  { name: 'record-audio', icon: 'mic', arguments: [number('durationS', 'arg.durationS', 1, 600, 10), save] },
  { name: 'media-search', icon: 'search', arguments: period },
  { name: 'media-upload', icon: 'download', arguments: [...period, removeAfter] },
  {
    name: 'media-upload-one',
    icon: 'download',
    arguments: [number('mediaId', 'arg.mediaId', 1, 4_294_967_295), removeAfter],
  },
  ...AREA_FUNCTIONS,
  ...SERVICE_FUNCTIONS,
  {
    name: 'upgrade',
    icon: 'up',
    rare: true,
    maintenance: true,
    timeoutS: '86400',
    arguments: [
      { name: 'file', kind: 'file', label: 'arg.upgradeFile', required: true },
      text('maker', 'arg.maker', 'required'),
      text('version', 'arg.version', 'required'),
      choice('part', 'arg.upgradePart', 'upgradePart', ['terminal', 'icCardReader', 'satelliteModule']),
    ],
    confirm: true,
  },
  ...CUT_OFF_FUNCTIONS,
  { name: 'restart', icon: 'replay', arguments: [], confirm: true },
  {
    name: 'factory-reset',
    icon: 'undo',
    arguments: [{ ...check('confirm', 'arg.confirmReset'), required: true }],
    confirm: true,
  },
];

/** The values of a form as the API takes them; what was left empty is left out. */
export function argumentsOf(look: FunctionLook, data: FormData): Record<string, unknown> {
  const fields = fieldsOf(look, data);
  return look.given ? look.given(fields) : fields;
}

function fieldsOf(look: FunctionLook, data: FormData): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const { name, kind, options } of look.arguments) {
    const entered = textOf(data, name);
    if (kind === 'check') given[name] = data.get(name) !== null;
    else if (entered === '') continue;
    else if (kind === 'number') given[name] = Number(entered);
    else if (kind === 'lines')
      given[name] = entered.split('\n').map((line) => line.trim()).filter(Boolean); // prettier-ignore
    else if (kind === 'time') given[name] = new Date(entered).toISOString();
    // A browser leaves the seconds out where they are zero.
    else if (kind === 'clock') given[name] = entered.length === 5 ? `${entered}:00` : entered;
    else if (options?.[0] === 'true') given[name] = entered === 'true';
    else given[name] = entered;
  }
  return given;
}
