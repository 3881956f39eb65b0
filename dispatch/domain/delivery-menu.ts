/** 0x0301: which step of which leg an event id means. The table says it, never "the current list" (architecture.md). */
import { quarantine } from './cards.js';
import { outboxOf } from './delivery-items.js';
import { dutyAppliers } from './duty.js';
import type { MenuEvent } from './model.js';
import type { Appliers } from './tables.js';
import { applyAction, type CrewAction } from './terminal-actions.js';

const ACTION_OF: Partial<Record<MenuEvent['step'], CrewAction>> = {
  accept: 'accept',
  depart: 'depart',
  arrive: 'arrive',
  done: 'done',
  refuse: 'reject',
};

export const menuAppliers: Appliers = {
  'report.menuEvent': (tx, report) => {
    const { vehicleId, phone, receivedAt, eventId, at } = report;
    const event = outboxOf(tx, vehicleId).menu.find(({ id }) => id === eventId);
    if (!event) {
      quarantine(tx, {
        code: 'unknownEvent',
        message: `the terminal of ${vehicleId} reports event ${eventId}, which no list of it ever had`,
        vehicleId,
        about: String(eventId),
      });
      return;
    }
    if (event.step === 'break' || event.step === 'standby') {
      const to = event.step === 'break' ? 'onBreak' : 'standby';
      dutyAppliers['report.duty']!(tx, { ...report, type: 'report.duty', to });
      return;
    }
    const action = ACTION_OF[event.step];
    const { orderId, leg } = event;
    if (action && orderId !== undefined && leg !== undefined) {
      applyAction(tx, { vehicleId, phone, receivedAt, orderId, leg, action, ...(at ? { at } : {}) });
    }
  },
};
