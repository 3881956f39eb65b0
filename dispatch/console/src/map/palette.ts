/** Colours of the map by theme: quiet ground, so that trucks and orders are what one sees. */
export interface Palette {
  land: string;
  water: string;
  park: string;
  block: string;
  grid: string;
  roadCasing: string;
  road: string;
  roadMajor: string;
  text: string;
  halo: string;
  track: string;
  plan: string;
  select: string;
  area: string;
  areaLine: string;
}
const light: Palette = {
  land: '#e4e9ee', water: '#b9d4e6', park: '#d3e6d3', block: '#dce2e8', grid: '#d7dde4', roadCasing: '#bcc6d1',
  road: '#ffffff', roadMajor: '#fbe9bd', text: '#33404f', halo: '#ffffff', track: '#2b6cb0', plan: '#7a4fc4',
  select: '#0b63ce', area: 'rgba(13, 116, 110, 0.14)', areaLine: '#0b6b65',
}; // prettier-ignore
const dark: Palette = {
  land: '#141b26', water: '#0c2436', park: '#16281f', block: '#18212d', grid: '#1d2735', roadCasing: '#0f1620',
  road: '#2a3648', roadMajor: '#3b4a60', text: '#c4cfdb', halo: '#0d131c', track: '#63a9f2', plan: '#b794f6',
  select: '#5fb0ff', area: 'rgba(76, 201, 190, 0.16)', areaLine: '#5fd0c5',
}; // prettier-ignore
export const paletteOf = (isDark: boolean): Palette => (isDark ? dark : light);

/** Fill of a vehicle by its duty; the glyph inside says the same. */
export const DUTY_COLOURS: Record<string, string> = {
  standby: '#1a7f4b', tasked: '#2563b8', enRoute: '#7a4fc4', onSite: '#b45309', onBreak: '#64748b', offDuty: '#8a94a3',
  unreachable: '#b91c1c',
}; // prettier-ignore
export const TONE_COLOURS: Record<string, string> = {
  idle: '#64748b', good: '#1a7f4b', warn: '#b45309', bad: '#c01f1f', done: '#64748b',
}; // prettier-ignore
