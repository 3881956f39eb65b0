/** Texts and questions for the driver (reference 4.1, 4.3). */
import { z } from 'zod';
import { encodeText, truncateText, type Edition } from '../../protocol/index.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const shown = 0x04;
const readOut = 0x08;

/** Category in the lowest bits: 2019 numbers them, before there is only "urgent" (reference 4.1). */
function textFlags(edition: Edition, urgent: boolean, display: boolean, read: boolean): number {
  const category = edition === 2019 ? (urgent ? 2 : 1) : urgent ? 1 : 0;
  return category | (display ? shown : 0) | (read ? readOut : 0);
}

const text = terminalFunction({
  name: 'text',
  title: 'Show or read out a text to the driver',
  since: 2011,
  screen: true,
  arguments: z
    .strictObject({
      text: z.string().trim().min(1).max(500),
      display: z.boolean().optional().meta({ description: 'On the screen; default true' }),
      readOut: z.boolean().optional().meta({ description: 'By the loudspeaker; default true' }),
      urgent: z.boolean().optional(),
    })
    .refine(({ display, readOut: read }) => display !== false || read !== false, {
      error: () => 'a text is shown or read out: one of them must be true',
    }),
  render({ text: words, display = true, readOut: read = true, urgent = false }, edition) {
    const flags = textFlags(edition, urgent, display, read);
    return [message('text', edition, { flags, type: 2, text: truncateText(words, 900) })];
  },
  app: ({ text: words, display = true, readOut: read = true, urgent = false }) => ({
    kind: 'notice',
    text: words,
    urgent,
    silent: !read,
    spokenOnly: !display,
  }),
});

/** Question and choices have a length byte, and all of it should fit one frame. */
const questionBytes = 255;

const question = terminalFunction({
  name: 'question',
  title: 'Ask the driver a question; the answer is the number of a choice',
  since: 2011,
  withdrawn: true,
  screen: true,
  awaits: 'questionAnswer',
  arguments: z.strictObject({
    question: z.string().trim().min(1).max(250),
    answers: z
      .array(z.string().trim().min(1).max(40))
      .min(2)
      .max(10)
      .meta({ description: 'The choices, numbered from 1' }),
    urgent: z.boolean().optional(),
    readOut: z.boolean().optional().meta({ description: 'By the loudspeaker; default true' }),
  }),
  render({ question: words, answers, urgent = false, readOut: read = true }, edition) {
    const flags = (urgent ? 1 : 0) | (read ? readOut : 0);
    const choices = answers.map((choice, i) => ({ id: i + 1, text: choice }));
    const asked = encodeText(words).length > questionBytes ? truncateText(words, questionBytes) : words;
    return [message('question', edition, { flags, question: asked, answers: choices })];
  },
  app: ({ question: words, answers, urgent = false, readOut: read = true }) => ({
    kind: 'question',
    text: words,
    choices: answers,
    urgent,
    silent: !read,
  }),
});

export const driverFunctions: readonly TerminalFunction[] = [text, question];
