/** Search over plate, crew, order number, phone and address: what is open at once, what is closed from the server. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, type PageOf } from '../api/client.js';
import type { OrderJson } from '../api/types.js';
import { t, tValue } from '../i18n/index.js';
import { orders, vehicles } from '../state/live.js';
import { Icon } from '../ui/icons.js';
import { openOrder, openVehicle } from '../state/selection.js';
import { installKeys } from './keys.js';

interface Hit {
  key: string;
  title: string;
  detail: string;
  kind: 'order' | 'vehicle';
  id: string;
}
const MAX_HITS = 12;

function orderHit(order: OrderJson): Hit {
  return {
    key: `o${order.id}`,
    kind: 'order',
    id: order.id,
    title: order.number,
    detail: `${tValue('stage', order.stage)} · ${order.site.address} · ${order.customer.name} ${order.customer.phone}`,
  };
}

/** Hits among what is open. Every word must occur somewhere. */
export function findLocally(text: string): Hit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const matches = (haystack: string): boolean => words.every((word) => haystack.toLowerCase().includes(word));
  const hits: Hit[] = [];
  for (const order of orders.peek().values()) {
    const { number, customer, site, fault } = order;
    if (matches(`${number} ${customer.phone} ${customer.name} ${site.address} ${fault.description}`))
      hits.push(orderHit(order));
    if (hits.length >= MAX_HITS) return hits;
  }
  for (const vehicle of vehicles.peek().values()) {
    const people = vehicle.crew.members.map((person) => `${person.name} ${person.phone ?? ''}`).join(' ');
    if (!matches(`${vehicle.plate} ${vehicle.crew.name} ${people} ${vehicle.id} ${vehicle.terminal.phone}`)) continue;
    const detail = `${vehicle.crew.name} · ${tValue('trade', vehicle.trade)}`;
    hits.push({ key: `v${vehicle.id}`, kind: 'vehicle', id: vehicle.id, title: vehicle.plate, detail });
    if (hits.length >= MAX_HITS) break;
  }
  return hits;
}

/** A phone number that no open order has: the server is asked, its closed orders count too. */
async function findByPhone(text: string, signal: AbortSignal): Promise<Hit[]> {
  if (!/^[\d+\- ]{5,}$/.test(text)) return [];
  const phone = encodeURIComponent(text.replace(/[\s-]/g, ''));
  const page = await get<PageOf<OrderJson>>(`/orders?phone=${phone}&limit=8`, { signal });
  return page.items.map(orderHit);
}

export function SearchBox() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [remote, setRemote] = useState<Hit[]>([]);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => installKeys({ '/': () => input.current?.focus() }), []);
  useEffect(() => {
    const abort = new AbortController();
    setRemote([]);
    const timer = setTimeout(() => {
      findByPhone(text.trim(), abort.signal).then(setRemote, () => undefined);
    }, 250);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  const hits = useMemo(() => {
    const local = findLocally(text);
    const known = new Set(local.map((hit) => hit.key));
    return [...local, ...remote.filter((hit) => !known.has(hit.key))].slice(0, MAX_HITS);
  }, [text, remote]);
  const choose = (hit: Hit | undefined): void => {
    if (!hit) return;
    setText('');
    input.current?.blur();
    if (hit.kind === 'order') openOrder(hit.id);
    else openVehicle(hit.id);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, hits.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (event.key === 'Enter') choose(hits[at]);
    else if (event.key === 'Escape') {
      setText('');
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        role="combobox"
        aria-label={t('search.label')}
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits[at] ? `hit-${hits[at].key}` : undefined}
        list={undefined}
        autocomplete="off"
        placeholder={t('search.placeholder')}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
      {text && (
        <ul id="search-hits" role="listbox" aria-label={t('search.hits')} class="hits">
          {hits.length === 0 && <li class="empty">{t('search.none')}</li>}
          {hits.map((hit, index) => (
            <li
              key={hit.key}
              id={`hit-${hit.key}`}
              role="option"
              aria-selected={index === at}
              onMouseDown={(event) => {
                event.preventDefault();
                choose(hit);
              }}
            >
              <Icon name={hit.kind === 'order' ? 'bolt' : 'truck'} />
              <b>{hit.title}</b>
              <span class="muted">{hit.detail}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
