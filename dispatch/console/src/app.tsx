/** The page: sign-in, shell, and the view that the path names. Views beside the first are loaded when asked for. */
import { useEffect } from 'preact/hooks';
import { lazy } from './ui/lazy.js';
import { t } from './i18n/index.js';
import { location, navigate } from './router.js';
import { isCrewOnly, session } from './state/session.js';
import { startLive, stopLive } from './state/live.js';
import { soundAlerts } from './state/alarm-sound.js';
import { QuestionDialog } from './ui/dialog.js';
import { Toasts } from './ui/toast.js';
import { Shell } from './shell/shell.js';
import { SignIn } from './pages/sign-in.js';
import { MapPage } from './pages/map-page.js';
import { BoardPage } from './pages/board/board-page.js';

const ReplayPage = lazy(async () => (await import('./pages/replay/replay-page.js')).ReplayPage);
const ReportsPage = lazy(async () => (await import('./pages/reports/reports-page.js')).ReportsPage);
const CallsPage = lazy(async () => (await import('./pages/calls-page.js')).CallsPage);
const AdminPage = lazy(async () => (await import('./pages/admin/admin-page.js')).AdminPage);
const WallPage = lazy(async () => (await import('./pages/wall-page.js')).WallPage);
const CrewPage = lazy(async () => (await import('./pages/crew/crew-page.js')).CrewPage);

function View() {
  const { path } = location.value;
  if (path === '/board') return <BoardPage />;
  if (path === '/replay') return <ReplayPage />;
  if (path === '/reports') return <ReportsPage />;
  if (path === '/calls') return <CallsPage />;
  if (path === '/alerts') return <MapPage />;
  if (path === '/admin') return <AdminPage />;
  if (path === '/' || /^\/(?:vehicle|order)\/[^/]+$/.test(path)) return <MapPage />;
  return <NotFound />;
}

function NotFound() {
  return (
    <div class="not-found">
      <h1>{t('app.notFound')}</h1>
      <p class="muted">{location.value.path}</p>
      <a class="button primary" href="/">
        {t('app.toMap')}
      </a>
    </div>
  );
}

function Live() {
  useEffect(() => {
    startLive();
    const silence = soundAlerts();
    return () => {
      silence();
      stopLive();
    };
  }, []);
  if (location.value.path === '/wall') return <WallPage />;
  return (
    <Shell>
      <View />
    </Shell>
  );
}

export function App() {
  const state = session.value;
  const { path } = location.value;
  useEffect(() => {
    if (state.kind === 'signedIn' && path === '/sign-in') navigate(isCrewOnly.value ? '/crew' : '/', true);
    if (state.kind === 'signedIn' && isCrewOnly.value && path !== '/crew') navigate('/crew', true);
  }, [state, path]);
  return (
    <>
      {state.kind === 'unknown' && (
        <div class="splash" role="status">
          {t('app.starting')}
        </div>
      )}
      {state.kind === 'signedOut' && path !== '/crew' && <SignIn />}
      {state.kind === 'signedOut' && path === '/crew' && <CrewPage />}
      {state.kind === 'signedIn' && (path === '/crew' ? <CrewPage /> : <Live />)}
      <QuestionDialog />
      <Toasts />
    </>
  );
}
