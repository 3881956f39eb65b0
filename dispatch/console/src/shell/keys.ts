/** Single-key shortcuts that never fire while somebody types. */
export function installKeys(keys: Record<string, () => void>): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement | null;
    if (target?.closest('input, textarea, select, [contenteditable], dialog')) return;
    const call = keys[event.key];
    if (!call) return;
    event.preventDefault();
    call();
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
