/** The console's icons: 20 px, drawn with the text colour. */
const paths = {
  map: 'M2 5l5-2 6 2 5-2v12l-5 2-6-2-5 2zM7 3v12M13 5v12',
  board: 'M3 4h4v12H3zM8.5 4h4v8h-4zM14 4h3v10h-3z',
  replay: 'M4 10a6 6 0 1 0 2-4.5M4 3v4h4M10 7v3.5l2.5 1.5',
  report: 'M3 17V3M3 17h14M6.5 14v-4M10 14V6M13.5 14V9',
  call: 'M5 3h3l1.5 4-2 1.5a9 9 0 0 0 4 4l1.5-2 4 1.5v3a1.5 1.5 0 0 1-1.6 1.5C9 16 4 11 3.5 4.6A1.5 1.5 0 0 1 5 3z',
  admin:
    'M10 7.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM10 2v2.2M10 15.8V18M2 10h2.2M15.8 10H18M4.3 4.3l1.6 1.6M14.1 14.1l1.6 1.6M4.3 15.7l1.6-1.6M14.1 5.9l1.6-1.6',
  wall: 'M2 4h16v10H2zM7 17h6M10 14v3',
  truck:
    'M2 5h9v8H2zM11 8h4l3 3v2h-7zM5.5 15.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM14.5 15.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z',
  bell: 'M5 14h10l-1.2-2V9a3.8 3.8 0 0 0-7.6 0v3zM8.5 16.5a1.6 1.6 0 0 0 3 0',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  check: 'M4 10.5l4 4 8-9',
  alert: 'M10 3l8 14H2zM10 8v4M10 14.2v.6',
  clock: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l3 2',
  phone: 'M6 2.5h8v15H6zM9 15h2',
  play: 'M6 4l10 6-10 6z',
  pause: 'M6 4h3v12H6zM11 4h3v12h-3z',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5L6 6M14 14l1.5 1.5M4.5 15.5L6 14M14 6l1.5-1.5',
  moon: 'M16 11.5A6.5 6.5 0 0 1 8.5 4 6.5 6.5 0 1 0 16 11.5z',
  sound: 'M3 8v4h3l4 3V5L6 8zM13 7.5a4 4 0 0 1 0 5M15 5.5a7 7 0 0 1 0 9',
  mute: 'M3 8v4h3l4 3V5L6 8zM13 8l4 4M17 8l-4 4',
  up: 'M5 12l5-5 5 5',
  down: 'M5 8l5 5 5-5',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
  target: 'M10 5a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM10 2v4M10 14v4M2 10h4M14 10h4',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  layers: 'M10 3l7 4-7 4-7-4zM3 10.5l7 4 7-4M3 13.5l7 4 7-4',
  filter: 'M3 4h14l-5.5 6.5V16l-3 1.5v-7z',
  undo: 'M4 8h8a4 4 0 0 1 0 8H8M4 8l4-4M4 8l4 4',
  merge: 'M5 3v4c0 3 5 3 5 6v4M15 3v4c0 3-5 3-5 6',
  link: 'M3 13a9 9 0 0 1 14 0M6 16a5 5 0 0 1 8 0M10 18v.2',
  user: 'M10 3.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM4 17c.5-4 3-5.5 6-5.5s5.5 1.5 6 5.5',
  out: 'M8 4H4v12h4M12 6l4 4-4 4M7 10h9',
  drag: 'M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01',
  message: 'M3 4h14v9H9l-4 4v-4H3z',
  keyboard: 'M2 5h16v10H2zM5 8h.01M8 8h.01M11 8h.01M14 8h.01M6 12h8',
  list: 'M3 5h14M3 10h14M3 15h14',
  camera: 'M3 6h3l1.5-2h5L14 6h3v10H3zM10 8.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
  download: 'M10 3v9M6 9l4 4 4-4M3 16h14',
  lock: 'M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9M10 12v2',
  mic: 'M10 3a2 2 0 0 1 2 2v4a2 2 0 0 1-4 0V5a2 2 0 0 1 2-2zM5.5 9a4.5 4.5 0 0 0 9 0M10 13.5V17M7.5 17h5',
  video: 'M2 6h10v8H2zM12 9l5-3v8l-5-3',
  sliders: 'M4 5h6M14 5h2M4 10h2M10 10h6M4 15h8M16 15h.01M12 3v4M8 8v4M14 13v4',
  question: 'M10 17.5a7.5 7.5 0 1 1 0-15 7.5 7.5 0 0 1 0 15zM8 8a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.6M10 13.6v.4',
  pen: 'M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3',
  bolt: 'M11 2L4 11h5l-1 7 7-9h-5z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
