/** The profiles by name, and how an item becomes messages in them. */
import { EncodeError } from '../../protocol/index.js';
import type { ProfileName } from '../../dispatch/domain/model.js';
import { isList, isOrder } from '../../dispatch/domain/outbox.js';
import type { OutgoingMessage } from '../session/link.js';
import { functionOf } from '../terminal-functions/index.js';
import { app, appFunction } from './app.js';
import { CannotShow, type Render, type RenderContext, type TerminalProfile } from './profile.js';
import { menu, text, tracker } from './screens.js';

export { CannotShow, type RenderContext } from './profile.js';

export const PROFILES: Record<ProfileName, TerminalProfile> = { smart: app, mqtt: app, menu, text, tracker };

/**
 * The messages of an item for its terminal.
 * @throws CannotShow when this terminal cannot carry it: the item is refused with the reason
 */
export function render(context: RenderContext): OutgoingMessage[] {
  const { terminal, transport, item } = context;
  const profile = PROFILES[terminal.profile];
  if (transport === 'mqtt' && profile !== app) {
    throw new CannotShow(`profile ${terminal.profile} needs JT/T 808; the terminal is connected over MQTT`);
  }
  try {
    return rendererOf(profile, item)(context);
  } catch (error) {
    if (error instanceof EncodeError) throw new CannotShow(error.message);
    throw error;
  }
}

function rendererOf(profile: TerminalProfile, item: RenderContext['item']): Render {
  if (item.kind === 'command') return command;
  if (isOrder(item)) return profile.order;
  if (isList(item)) return profile.list;
  return item.kind === 'recall' ? profile.recall : item.kind === 'urge' ? profile.urge : profile.notice;
}

/** A function of the terminal. */
function command(context: RenderContext): OutgoingMessage[] {
  const { item, edition, transport } = context;
  const { name, arguments: args } = item.command!;
  const known = functionOf(name);
  if (transport === 'mqtt') {
    if (!known?.app) throw new CannotShow(`${name} needs JT/T 808; the terminal is connected over MQTT`);
    return appFunction(context, known.app(args));
  }
  if (!known) throw new CannotShow(`there is no command ${name}`);
  return known.render(args, edition, context.file);
}
