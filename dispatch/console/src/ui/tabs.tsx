/** A row of tabs: one is chosen, arrow keys go from one to the next. */
import type { ComponentChildren } from 'preact';

export interface Tab<Name extends string> {
  name: Name;
  label: ComponentChildren;
  /** A number beside the label. */
  count?: number;
}

export function Tabs<Name extends string>(props: {
  tabs: readonly Tab<Name>[];
  chosen: Name;
  onChoose(name: NoInfer<Name>): void;
}) {
  const { tabs, chosen, onChoose } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = tabs[(tabs.findIndex(({ name }) => name === chosen) + by + tabs.length) % tabs.length]!;
    onChoose(next.name);
    const list = event.currentTarget as Element;
    list.querySelector<HTMLElement>(`[data-tab="${next.name}"]`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" onKeyDown={onKeyDown}>
      {tabs.map(({ name, label, count }) => (
        <button
          key={name}
          role="tab"
          data-tab={name}
          aria-selected={name === chosen}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {label} {count !== undefined && <b>{count}</b>}
        </button>
      ))}
    </div>
  );
}
