/** Columns of the board: which orders stand where. The stages and states are the server's. */
import type { Key } from '../../i18n/index.js';
import type { LiveOrder } from '../../state/live.js';
import { currentLeg } from '../../ui/order-time.js';

export interface Column {
  id: string;
  label: Key;
  holds(order: LiveOrder): boolean;
}
const legState = (order: LiveOrder): string => (order.stage === 'dispatched' ? (currentLeg(order)?.state ?? '') : '');
const among = (...values: string[]) => {
  const set = new Set(values);
  return (value: string): boolean => set.has(value);
};
const unassigned = among('issued', 'atCentre', 'waiting');
const onTheWay = among('accepted', 'enRoute', 'suspended');
const onSite = among('onSite', 'working');
const after = among('repaired', 'recorded');

export const COLUMNS: readonly Column[] = [
  { id: 'toIssue', label: 'board.toIssue', holds: ({ stage }) => stage === 'received' || stage === 'returned' },
  { id: 'toAssign', label: 'board.toAssign', holds: ({ stage }) => unassigned(stage) },
  {
    id: 'toAccept',
    label: 'board.toAccept',
    holds: (order) => order.stage === 'dispatched' && !onTheWay(legState(order)) && !onSite(legState(order)),
  },
  { id: 'onTheWay', label: 'board.onTheWay', holds: (order) => onTheWay(legState(order)) },
  { id: 'onSite', label: 'board.onSite', holds: (order) => onSite(legState(order)) },
  { id: 'after', label: 'board.after', holds: ({ stage }) => after(stage) },
];
