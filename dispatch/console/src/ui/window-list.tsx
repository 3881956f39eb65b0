/** A long list of rows of equal height, of which only those in view exist. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const EXTRA = 6;

export function WindowList<T>(props: {
  items: readonly T[];
  rowPx: number;
  keyOf(item: T): string;
  render(item: T): ComponentChildren;
  label: string;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const element = ref.current!;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(view.top / props.rowPx) - EXTRA);
  const count = Math.ceil(view.height / props.rowPx) + EXTRA * 2;
  const shown = props.items.slice(first, first + count);
  const gap = (rows: number) => <li aria-hidden="true" style={{ height: `${rows * props.rowPx}px` }} />;
  return (
    <div class="window-list" ref={ref} tabIndex={0} role="region" aria-label={props.label}>
      <ul>
        {first > 0 && gap(first)}
        {shown.map((item) => (
          <li key={props.keyOf(item)} style={{ height: `${props.rowPx}px` }}>
            {props.render(item)}
          </li>
        ))}
        {props.items.length > first + count && gap(props.items.length - first - count)}
      </ul>
    </div>
  );
}
