/** Photos, sound and video of the terminal's camera (reference 5.7). What it uploads comes by itself (0x0801). */
import { z } from 'zod';
import { msToTime, type Edition } from '../../protocol/index.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const MEDIA = { image: 0, audio: 1, video: 2 } as const;
const EVENTS = { command: 0, timed: 1, robbery: 2, collision: 3, doorOpened: 4, doorClosed: 5 } as const;
const SAVE = { upload: 0, store: 1 } as const;
const RESOLUTIONS = {
  '320x240': 1,
  '640x480': 2,
  '800x600': 3,
  '1024x768': 4,
  '176x144': 5,
  '352x288': 6,
  '704x288': 7,
  '704x576': 8,
} as const;

const keys = <T extends object>(table: T) => Object.keys(table) as [keyof T & string];
const kind = z.enum(keys(MEDIA)).optional().meta({ description: 'Default image' });
const event = z.enum(keys(EVENTS)).optional().meta({ description: 'What it was taken for; default command' });
const channel = z.int().min(1).max(127).optional().meta({ description: 'Camera; default 1' });
const anyChannel = z.int().min(0).max(127).optional().meta({ description: 'Camera, 0 for all; default 0' });
const save = z.enum(keys(SAVE)).optional().meta({ description: 'Upload at once or store; default upload' });
const mediaId = z.int().min(1).max(0xffff_ffff);
const time = z.iso
  .datetime({ offset: true })
  .transform((words) => Date.parse(words))
  .meta({ description: 'ISO 8601 with zone' });
const remove = z.boolean().optional().meta({ description: 'Delete it in the terminal afterwards' });
const period = { media: kind, channel: anyChannel, event, from: time.optional(), to: time.optional() };

interface Period {
  media?: keyof typeof MEDIA | undefined;
  channel?: number | undefined;
  event?: keyof typeof EVENTS | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

/** All zero: no limit. */
function periodOf({ media = 'image', channel: camera = 0, event: why = 'command', from = NaN, to = NaN }: Period) {
  const times = { startTime: msToTime(from), endTime: msToTime(to) };
  return { type: MEDIA[media], channel: camera, event: EVENTS[why], ...times };
}

/** 0x0805 exists since 2013 and many leave it out: it is taken where it comes, and the receipt does not wait for it. */
const photo = terminalFunction({
  name: 'photo',
  title: 'Take photos',
  since: 2011,
  awaits: 'shootAnswer',
  arguments: z.strictObject({
    channel,
    count: z.int().min(1).max(20).optional().meta({ description: 'Photos; default 1' }),
    intervalS: z.int().min(0).max(3_600).optional().meta({ description: 'Seconds between them; default 0: at once' }),
    save,
    resolution: z.enum(keys(RESOLUTIONS)).optional().meta({ description: 'Default 640x480' }),
    quality: z.int().min(1).max(10).optional().meta({ description: '1 best to 10; default 3' }),
  }),
  render: (args, edition) => [shoot(args, args.count ?? 1, args.intervalS ?? 0, edition)],
});

const VIDEO = 0xffff;

const video = terminalFunction({
  name: 'video',
  title: 'Record a video',
  since: 2011,
  awaits: 'shootAnswer',
  arguments: z.strictObject({ channel, durationS: z.int().min(1).max(60), save }),
  render: (args, edition) => [shoot(args, VIDEO, args.durationS, edition)],
});

interface Shot {
  channel?: number | undefined;
  save?: keyof typeof SAVE | undefined;
  resolution?: keyof typeof RESOLUTIONS | undefined;
  quality?: number | undefined;
}

function shoot(args: Shot, command: number, intervalS: number, edition: Edition) {
  return message('shoot', edition, {
    channel: args.channel ?? 1,
    command,
    intervalS,
    save: SAVE[args.save ?? 'upload'],
    resolution: RESOLUTIONS[args.resolution ?? '640x480'],
    quality: args.quality ?? 3,
    // The middle of each range: what a camera does by itself.
    brightness: 128,
    contrast: 64,
    saturation: 64,
    chroma: 128,
  });
}

const recordAudio = terminalFunction({
  name: 'record-audio',
  title: 'Record sound',
  since: 2011,
  arguments: z.strictObject({ durationS: z.int().min(1).max(600), save }),
  render: ({ durationS, save: how = 'upload' }, edition) => [
    message('recordAudio', edition, { command: 1, durationS, save: SAVE[how], rate: 0 }),
  ],
});

const search = terminalFunction({
  name: 'media-search',
  title: 'List what the terminal has stored',
  since: 2011,
  arguments: z.strictObject(period),
  render: (args, edition) => [message('searchMedia', edition, periodOf(args))],
});

const upload = terminalFunction({
  name: 'media-upload',
  title: 'Have stored media of a time uploaded',
  since: 2011,
  arguments: z.strictObject({ ...period, remove }),
  render: (args, edition) => [
    message('uploadMedia', edition, { ...periodOf(args), remove: args.remove === true ? 1 : 0 }),
  ],
});

const uploadOne = terminalFunction({
  name: 'media-upload-one',
  title: 'Have one stored item uploaded',
  since: 2013,
  arguments: z.strictObject({ mediaId, remove }),
  render: (args, edition) => [
    message('uploadOne', edition, { mediaId: args.mediaId, remove: args.remove === true ? 1 : 0 }),
  ],
});

export const mediaFunctions: readonly TerminalFunction[] = [photo, video, recordAudio, search, upload, uploadOne];
