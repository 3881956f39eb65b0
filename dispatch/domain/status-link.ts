/** The link with which a customer follows an order. Only a hash of its token is kept; a new link ends the one before. */
import { withOrder } from './order-fold.js';
import { centreOf, orderNamed } from './order.js';
import { folding, type Deciders, type Reducers } from './tables.js';

export const statusLinkReducers: Reducers = {
  'order.statusLinked': folding<{ statusToken: string }>((docs, { orderId, data: { statusToken } }) => {
    withOrder(docs, orderId!, (order) => ({ ...order, statusToken }));
  }),
};

export const statusLinkDeciders: Deciders = {
  'order.statusLink': (tx, { orderId, tokenSha256 }) => {
    const order = orderNamed(tx, orderId);
    tx.emit({ type: 'order.statusLinked', orderId, ...centreOf(order), data: { statusToken: tokenSha256 } });
    return { orderId };
  },
};
