/** The frame of every desk view: navigation, key figures, search, alerts, connection, clock. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import { t, type Key } from '../i18n/index.js';
import { location, navigate } from '../router.js';
import { hasRole } from '../state/session.js';
import { waitingAlerts, waitingCount } from '../state/waiting.js';
import { Boundary } from '../ui/boundary.js';
import { Icon, type IconName } from '../ui/icons.js';
import { installKeys } from './keys.js';
import { Inspector } from '../pages/inspector.js';
import { StepForms } from '../pages/step-buttons.js';
import { NewOrder, newOrderOpen } from '../pages/board/new-order.js';
import { AlertsPanel } from './alerts-panel.js';
import { StaleBanner } from './connection-mark.js';
import { SearchBox } from './search.js';
import { KeyHelp, keyHelpOpen } from './key-help.js';
import { Figures } from './figures.js';
import { UserMenu } from './user-menu.js';
import { ConnectionMark } from './connection-mark.js';
import { GatewayClock } from './gateway-clock.js';

export const alertsOpen = signal(false);

interface NavItem {
  path: string;
  label: Key;
  icon: IconName;
  shown(): boolean;
}
const ITEMS: NavItem[] = [
  { path: '/', label: 'nav.map', icon: 'map', shown: () => true },
  { path: '/board', label: 'nav.board', icon: 'board', shown: () => true },
  { path: '/calls', label: 'nav.calls', icon: 'call', shown: () => hasRole('agent', 'supervisor') },
  { path: '/replay', label: 'nav.replay', icon: 'replay', shown: () => true },
  {
    path: '/reports',
    label: 'nav.reports',
    icon: 'report',
    shown: () => hasRole('dispatcher', 'supervisor', 'administrator'),
  },
  { path: '/admin', label: 'nav.admin', icon: 'admin', shown: () => hasRole('administrator') },
  { path: '/wall', label: 'nav.wall', icon: 'wall', shown: () => true },
];

const isCurrent = (path: string): boolean => {
  const here = location.value.path;
  return path === here || (path === '/' && (here.startsWith('/order/') || here.startsWith('/vehicle/')));
};

function Rail() {
  return (
    <nav class="rail" aria-label={t('nav.label')}>
      <a class="mark" href="/" aria-label="Linecrew">
        <img src="/icon.svg" alt="" width={32} height={32} />
      </a>
      {ITEMS.filter((item) => item.shown()).map((item) => (
        <a key={item.path} href={item.path} aria-current={isCurrent(item.path) ? 'page' : undefined}>
          <Icon name={item.icon} size={20} />
          <span>{t(item.label)}</span>
        </a>
      ))}
    </nav>
  );
}

function AlertsButton() {
  const waiting = waitingCount.value;
  const worst = waitingAlerts.value.some((alert) => alert.severity === 'sos' || alert.severity === 'breach');
  return (
    <button
      class={`alerts-button ${waiting > 0 ? (worst ? 'bad' : 'warn') : ''}`}
      aria-expanded={alertsOpen.value}
      onClick={() => (alertsOpen.value = !alertsOpen.value)}
    >
      <Icon name="bell" />
      <span>{t('alerts.title')}</span>
      <b>{waiting}</b>
    </button>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  useEffect(
    () =>
      installKeys({
        a: () => (alertsOpen.value = !alertsOpen.value),
        n: () => void (newOrderOpen.value = hasRole('agent', 'supervisor')),
        m: () => navigate('/'),
        b: () => navigate('/board'),
        c: () => navigate('/calls'),
        r: () => navigate('/replay'),
        '?': () => (keyHelpOpen.value = true),
      }),
    [],
  );
  const { path } = location.value;
  useEffect(() => {
    if (path !== '/alerts') return;
    alertsOpen.value = true;
    navigate('/', true);
  }, [path]);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {t('nav.skip')}
      </a>
      <Rail />
      <header class="top">
        <Figures />
        <SearchBox />
        {hasRole('agent', 'supervisor') && (
          <button class="primary new-order-button" onClick={() => (newOrderOpen.value = true)}>
            <Icon name="plus" /> {t('order.new')}
          </button>
        )}
        <AlertsButton />
        <ConnectionMark />
        <GatewayClock />
        <UserMenu />
      </header>
      <StaleBanner />
      <div class="stage-area">
        <main id="main" tabIndex={-1}>
          <Boundary name="view">{children}</Boundary>
        </main>
        <Boundary name="inspector">
          <Inspector />
        </Boundary>
        {alertsOpen.value && (
          <Boundary name="alerts">
            <AlertsPanel onClose={() => (alertsOpen.value = false)} />
          </Boundary>
        )}
      </div>
      {newOrderOpen.value && <NewOrder onClose={() => (newOrderOpen.value = false)} />}
      <StepForms />
      <KeyHelp />
    </div>
  );
}
