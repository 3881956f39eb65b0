/** Paths of the console as a signal; links are ordinary anchors that change it without loading a page. */
import { computed, signal } from '@preact/signals';

export const location = signal({ path: window.location.pathname, search: window.location.search });
export const query = computed(() => new URLSearchParams(location.value.search));

function follow(): void {
  location.value = { path: window.location.pathname, search: window.location.search };
}
window.addEventListener('popstate', follow);

export function navigate(to: string, replace = false): void {
  if (to === window.location.pathname + window.location.search) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  follow();
}

/** Sets or removes query values of the current page, keeping the others. */
export function setQuery(values: Record<string, string | undefined>, replace = true): void {
  const next = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(window.location.pathname + (text ? `?${text}` : ''), replace);
}

/** Takes plain clicks on links inside the console; everything else stays the browser's. */
export function interceptLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== window.location.origin) return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
